# Installs what is missing and puts Deno on the PATH; sourced by the other scripts.
# Needs: node with npm, a Rust toolchain with a C compiler. Installs: Deno and the build driver from
# npm (below scripts/tools), redis-server from apt when it is missing; the page's own packages from npm
# (below frontend). For the tests of the page: chromium from apt.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

need() { # need COMMAND WHAT-TO-DO
  command -v "$1" >/dev/null 2>&1 || { echo "quarry: $1 is missing: $2" >&2; exit 1; }
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_install() { # apt_install PACKAGE...
  need apt-get "install $* by hand"
  echo "quarry: installing $*" >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1 ||
    { as_root apt-get update -qq >/dev/null &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null; }
}

need npm "install Node.js 20 or newer with npm"
tools=$root/scripts/tools
if ! cmp -s "$tools/package-lock.json" "$tools/node_modules/.quarry-lock"; then
  echo "quarry: installing Deno and the build driver into scripts/tools (npm, some 100 MB)" >&2
  failed="npm could not get them: look at the network and at its registry, then run this again"
  # Asked first: of a registry that is silent npm would wait for each package in turn, for hours.
  npm_config_fetch_timeout=${npm_config_fetch_timeout:-30000} npm view deno name \
    --prefer-offline --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 >/dev/null ||
    { echo "quarry: $failed" >&2; exit 1; }
  # npm ci refuses locks that lack other platforms' optional packages; --no-save leaves the lock as it is.
  npm_config_fetch_timeout=${npm_config_fetch_timeout:-120000} \
    npm install --prefix "$tools" --no-save --no-fund --no-audit --loglevel=error >&2 ||
    { echo "quarry: $failed" >&2; exit 1; }
  cp "$tools/package-lock.json" "$tools/node_modules/.quarry-lock"
fi
export PATH="$tools/node_modules/.bin:$PATH"
deno --version >/dev/null || exit 1

# apt starts a system-wide server of its own; quarry only wants the program.
if ! command -v redis-server >/dev/null 2>&1; then
  running=$(pgrep -x redis-server | head -n 1)
  apt_install redis-server || exit 1
  if [ -z "$running" ] && command -v service >/dev/null 2>&1; then
    as_root service redis-server stop >/dev/null 2>&1
  fi
fi

build_native() {
  need cargo "install Rust (rustup) to build the verifier"
  need cc "install a C compiler (build-essential)"
  deno task --quiet native >&2
}

build_frontend() {
  need node "install Node.js 20 or newer"
  deno task --quiet frontend --if-needed >&2
}

# For promtool; apt would start a Prometheus of its own.
install_monitoring() {
  command -v promtool >/dev/null 2>&1 && return
  running=$(pgrep -x prometheus | head -n 1)
  apt_install --no-install-recommends prometheus || return 1
  if [ -z "$running" ] && command -v service >/dev/null 2>&1; then
    as_root service prometheus stop >/dev/null 2>&1
  fi
}

install_browser() {
  command -v chromium >/dev/null 2>&1 || apt_install chromium
}
