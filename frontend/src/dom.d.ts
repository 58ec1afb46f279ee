/** These files run in a browser. */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
