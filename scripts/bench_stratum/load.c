/*
 * Thousands of miners in one program: opens sessions in EthereumStratum/1.0.0, submits shares and
 * measures answers. At difficulty 1 every nonce is a share, so nothing is computed here.
 *
 * usage: load PORT SESSIONS ACTIVE SECONDS RATE NONCES
 *   ACTIVE sessions submit for SECONDS; RATE is shares a second over all of them, 0 means closed loop
 *   (each session sends the next share when the last one is answered). NONCES is a file that gets
 *   the 16 digits of every nonce that was answered true, a line each.
 * Prints JSON lines: {"event":"open"}, {"event":"job"} for every new job (the time from the first
 * miner that has it whole to the last, and the wall clock of both), {"event":"done"} with counts and
 * latencies in microseconds. With SECONDS 0 it holds the sessions until its standard input closes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4096, JOB_ID = 40, EVENTS = 1024, PORTS_PER_ADDRESS = 400, CONNECTING = 256 };

struct session {
    int fd, logged_in, waiting, open;
    char extranonce[8], job[JOB_ID];
    uint64_t nonce, sent_ns;
    size_t used;
    char buffer[BUFFER];
};

static struct session *sessions;
static long count, active;
static uint64_t accepted, rejected, lost, jobs_seen, busy;
static uint64_t *latencies;
static size_t latency_count, latency_room;
static FILE *nonces;
static char newest[JOB_ID];
static long have_newest, ready;
static double newest_first_ms, newest_last_ms;
static int submitting;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static double wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void drop(struct session *s) {
    if (!s->open) return;
    s->open = 0;
    close(s->fd);
    lost++;
}

static void say(struct session *s, const char *text, size_t length) {
    if (!s->open) return;
    if (send(s->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) drop(s);
}

static void submit(struct session *s) {
    char line[160];
    int length = snprintf(line, sizeof line,
                          "{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"x\",\"%s\",\"%0*llx\"]}\n",
                          s->job, (int)(16 - strlen(s->extranonce)), (unsigned long long)s->nonce);
    s->waiting = 1;
    s->sent_ns = now_ns();
    say(s, line, length);
}

static void note_latency(uint64_t ns) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? 2 * latency_room : 1 << 20;
        latencies = realloc(latencies, latency_room * sizeof *latencies);
        if (latencies == NULL) die("memory");
    }
    latencies[latency_count++] = ns;
}

static void on_job(struct session *s, const char *id) {
    size_t length = strcspn(id, "\"");
    if (length >= JOB_ID) return;
    memcpy(s->job, id, length);
    s->job[length] = 0;
    if (!s->logged_in) {
        s->logged_in = 1;
        ready++;
    }
    if (strcmp(newest, s->job) != 0) {
        strcpy(newest, s->job);
        have_newest = 0;
        newest_first_ms = wall_ms();
    }
    if (++have_newest == count - (long)lost) {
        newest_last_ms = wall_ms();
        jobs_seen++;
        printf("{\"event\":\"job\",\"miners\":%ld,\"firstMs\":%.3f,\"lastMs\":%.3f}\n", have_newest,
               newest_first_ms, newest_last_ms);
        fflush(stdout);
    }
}

static void on_line(struct session *s, char *line) {
    char *found;
    if ((found = strstr(line, "\"mining.notify\",\"params\":[\"")) != NULL) {
        on_job(s, found + strlen("\"mining.notify\",\"params\":[\""));
    } else if (strncmp(line, "{\"id\":1,", 8) == 0) {
        found = strstr(line, "EthereumStratum/1.0.0\"],\"");
        if (found == NULL) return drop(s);
        found += strlen("EthereumStratum/1.0.0\"],\"");
        size_t length = strcspn(found, "\"");
        if (length >= sizeof s->extranonce) return drop(s);
        memcpy(s->extranonce, found, length);
    } else if (strncmp(line, "{\"id\":4,", 8) == 0 && s->waiting) {
        note_latency(now_ns() - s->sent_ns);
        s->waiting = 0;
        if (strstr(line, "\"result\":true") != NULL) {
            accepted++;
            fprintf(nonces, "%s%0*llx\n", s->extranonce, (int)(16 - strlen(s->extranonce)),
                    (unsigned long long)s->nonce);
        } else if (strstr(line, "busy") != NULL) {
            busy++;
        } else if (rejected++ == 0) {
            fprintf(stderr, "first refusal: %s\n", line);
        }
        s->nonce++;
        if (submitting == 1) submit(s);
    }
}

static void on_readable(struct session *s) {
    for (;;) {
        ssize_t got = recv(s->fd, s->buffer + s->used, BUFFER - 1 - s->used, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (got <= 0) return drop(s);
        s->used += got;
        s->buffer[s->used] = 0;
        char *line = s->buffer, *end;
        while ((end = memchr(line, '\n', s->buffer + s->used - line)) != NULL) {
            *end = 0;
            on_line(s, line);
            if (!s->open) return;
            line = end + 1;
        }
        s->used -= line - s->buffer;
        memmove(s->buffer, line, s->used);
        if (s->used >= BUFFER - 1) return drop(s);
    }
}

static void open_session(struct session *s, long i, int port, int poll) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0) die("socket (raise ulimit -n)");
    int one = 1;
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    /* Many client addresses, as one has not enough ports for all. */
    from.sin_addr.s_addr = htonl(0x7f000002 + i / PORTS_PER_ADDRESS);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    if (bind(s->fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
    if (connect(s->fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    s->open = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, s->fd, &event) != 0) die("epoll_ctl");
    char hello[256];
    int length = snprintf(hello, sizeof hello,
                          "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"load/1\",\"EthereumStratum/1.0.0\"]}\n"
                          "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"0x%040lx.rig\",\"x\"]}\n",
                          i % 1000 + 1);
    say(s, hello, length);
}

static void turn(int poll, int timeout_ms) {
    struct epoll_event events[EVENTS];
    int some = epoll_wait(poll, events, EVENTS, timeout_ms);
    for (int i = 0; i < some; i++) {
        struct session *s = events[i].data.ptr;
        if (s != NULL && s->open) on_readable(s);
    }
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double part) {
    if (latency_count == 0) return 0;
    size_t at = (size_t)(part * (latency_count - 1));
    return latencies[at] / 1e3;
}

static void submit_for(int poll, double seconds, double rate) {
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
    submitting = rate > 0 ? 2 : 1;
    if (rate == 0) {
        for (long i = 0; i < active; i++) submit(&sessions[i]);
    }
    uint64_t due = 0;
    long next = 0;
    while (now_ns() < end) {
        if (rate > 0) {
            uint64_t wanted = (uint64_t)((now_ns() - start) / 1e9 * rate);
            for (long tried = 0; due < wanted && tried < active; tried++, next = (next + 1) % active) {
                if (sessions[next].waiting || !sessions[next].open) continue;
                submit(&sessions[next]);
                due++;
            }
        }
        turn(poll, 1);
    }
    submitting = 3;
    uint64_t open = 1, patience = now_ns() + 30000000000ull;
    while (open > 0 && now_ns() < patience) {
        turn(poll, 10);
        open = 0;
        for (long i = 0; i < active; i++) open += sessions[i].open && sessions[i].waiting;
    }
    qsort(latencies, latency_count, sizeof *latencies, by_size);
    printf("{\"event\":\"done\",\"accepted\":%llu,\"rejected\":%llu,\"busy\":%llu,\"unanswered\":%llu,"
           "\"lost\":%llu,\"seconds\":%.3f,\"p50\":%.0f,\"p99\":%.0f,\"max\":%.0f}\n",
           (unsigned long long)accepted, (unsigned long long)rejected, (unsigned long long)busy,
           (unsigned long long)open, (unsigned long long)lost, seconds, percentile(0.5),
           percentile(0.99), percentile(1));
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: load PORT SESSIONS ACTIVE SECONDS RATE NONCES\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int port = atoi(argv[1]);
    count = atol(argv[2]), active = atol(argv[3]);
    double seconds = atof(argv[4]), rate = atof(argv[5]);
    nonces = fopen(argv[6], "w");
    sessions = calloc(count, sizeof *sessions);
    if (nonces == NULL || sessions == NULL || active > count) die("start");
    int poll = epoll_create1(EPOLL_CLOEXEC);
    double start = wall_ms();
    for (long i = 0; i < count; i++) {
        open_session(&sessions[i], i, port, poll);
        /* Not more at a time than a listener's queue holds. */
        while (i + 1 - ready - (long)lost > CONNECTING) turn(poll, 10);
    }
    uint64_t patience = now_ns() + 60000000000ull;
    while (ready + (long)lost < count && now_ns() < patience) turn(poll, 10);
    printf("{\"event\":\"open\",\"sessions\":%ld,\"lost\":%llu,\"ms\":%.1f}\n", ready,
           (unsigned long long)lost, wall_ms() - start);
    fflush(stdout);
    if (seconds > 0) submit_for(poll, seconds, rate);
    /* Holds the sessions, and reports jobs, until standard input ends. */
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    for (;;) {
        char byte[64];
        turn(poll, 1000);
        if (read(STDIN_FILENO, byte, sizeof byte) == 0) break;
    }
    printf("{\"event\":\"end\",\"lost\":%llu,\"jobs\":%llu}\n", (unsigned long long)lost,
           (unsigned long long)jobs_seen);
    fclose(nonces);
    return 0;
}
