// The one place that knows where the vendored libraries are.
import { h, render } from "../vendor/preact-11.2.0/preact.js";
import htm from "../vendor/htm-3.1.1/htm.js";

export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-11.2.0/hooks.js";
export { render };
export const html = htm.bind(h);
