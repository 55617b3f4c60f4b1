// Ids that a page makes for itself. Chance and time are arguments, so that tests can give them.

import { toBytes } from './msgpack.js';

function base36(count, random) {
  return Array.from({ length: count }, () => Math.floor(random() * 36).toString(36)).join('');
}

/** One document load: 9 characters of the clock, so that ids sort by age, and 8 random ones. */
export function pageId(now = Date.now(), random = Math.random) {
  return Math.floor(now).toString(36).padStart(9, '0') + base36(8, random);
}

/** A chat message's id: the same one at each resend. */
export function messageId(random = Math.random) {
  return base36(16, random);
}

/** Is this a token that the service could have made for this site? Anything else would only be refused. */
export function fits(token, letter, site) {
  return new RegExp(`^${letter}\\.${site}\\.[\\w-]{22}\\.[\\w-]{1,80}$`).test(token);
}

/**
 * The last part of the socket's address: the first 16 bytes of SHA-256(sid) as hex, or "new" without a session.
 * Browsers offer SHA-256 only on https and localhost; elsewhere the route is "new", which serves every session
 * too, only without the balancer's help in finding its owner.
 */
export async function route(token, subtle = crypto.subtle) {
  if (!token || !subtle) return 'new';
  const digest = await subtle.digest('SHA-256', toBytes.encode(token.split('.')[2]));
  return Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
