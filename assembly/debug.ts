/** The exports of debug builds: those of the module, and the check of the whole structure. */
export * from "./index";
export { validate } from "./validate";
