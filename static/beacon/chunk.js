// Where chunks come from: the script's own origin, by an absolute import that a shop's policy lets pass.

/* global BUILD -- put in by the build, so that a cached beacon never meets another build's chunks */

/** The module of a chunk. */
export const load = (origin, name) => import(`${origin}/${name}.js?v=${BUILD}`);
