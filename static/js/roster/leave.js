// The door: whoever stands here is not signed in, so no roster may be left open on this device. What waits to be sent
// stays, for the person who filled it in.

import { forgetPages } from "./pages.js";

forgetPages();
