// The pages that are loaded when somebody first goes to one of them: one file for all, while one looks at the first.
//
// What the first page has loaded is imported as a whole, so that the bundler keeps it in one file instead of one for each mix of
// pages that need a module: a visit begins with two scripts, however many groups of pages there are.
import "../app";

export { Activate } from "./activate";
export { AssetPage, SitePage } from "./asset";
export { Assets } from "./assets";
export { Forgot } from "./forgot";
export { Jobs } from "./jobs";
export { Open } from "./open";
export { Preferences } from "./preferences";
export { Register } from "./register";
export { Report } from "./report";
export { Reset } from "./reset";
export { Send } from "./send";
export { Share } from "./share";
export { Unsubscribe } from "./unsubscribe";
