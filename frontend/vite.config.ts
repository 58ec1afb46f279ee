/** How the page is built: one style sheet, scripts with hashed names, nothing from elsewhere. */
/** What the first view is made of, wherever else it is used. */
const FIRST = [
  /node_modules\/@?preact\//,
  /src\/(?!plot|amounts|keccak|checksum|commands|wallet|trouble)\w+\.tsx?$/,
  /src\/parts\/(?!effort|chart|beats|field)/,
  /src\/pages\/pool/,
  /src\/i18n\/(en|lang|mod)\.ts/,
];

export default {
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What the first view needs comes in one file: many small ones compress worse and come later.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{
            name: "main",
            test: (id: string) => FIRST.some((one) => one.test(id)),
          }, {
            name: "address",
            test: /src\/(checksum|keccak|amounts)/,
          }, {
            name: "forms",
            test: /src\/(pages\/(connect|settings)|parts\/field|commands|wallet)/,
          }, {
            name: "lists",
            test: /src\/(pages\/(blocks|payments|status|help|not_found)|parts\/(effort|beats))/,
          }],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
};
