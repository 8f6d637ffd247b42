// What rhea expects of its surroundings, for a browser.
export { Buffer } from "buffer";
export const process = { nextTick: (call, ...more) => queueMicrotask(() => call(...more)), env: {}, version: "", browser: true };
