// The beginning: the language, the address, the page.

import { render } from "preact";
import { App } from "./app";
import { begin } from "./lib/language";
import { follow } from "./lib/router";

begin();
follow();
const root = document.getElementById("app");
if (root) render(<App />, root);
