// The part of MessagePack that the shopper's protocol speaks. Encodes nil, booleans, numbers, strings and
// arrays; decodes these and maps. Nothing in a frame is longer than 2^16; no integer of the protocol is negative, and
// none that a page sends is 2^32 or more; other numbers travel as float64. Of each kind it writes only the shortest form and one
// that holds everything: fewer bytes of code outweigh a few in a frame.

export const toBytes = new TextEncoder();
const toText = new TextDecoder();

/** `value` as bytes. Anything that is not null, boolean, number, string or array becomes nil. */
export function encode(value) {
  const out = [];
  put(out, value);
  return new Uint8Array(out);
}

function put(out, value) {
  if (typeof value === 'number') putNumber(out, value);
  else if (typeof value === 'string') {
    const bytes = toBytes.encode(value);
    const n = bytes.length;
    if (n < 32) out.push(0xa0 | n);
    else out.push(0xda, n >> 8, n & 255);
    for (const byte of bytes) out.push(byte);
  } else if (Array.isArray(value)) {
    const n = value.length;
    if (n < 16) out.push(0x90 | n);
    else out.push(0xdc, n >> 8, n & 255);
    for (const element of value) put(out, element);
  } else out.push(value === true ? 0xc3 : value === false ? 0xc2 : 0xc0);
}

function putNumber(out, value) {
  if (value >>> 0 === value) {
    if (value < 128) out.push(value);
    else out.push(0xce, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  } else {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    out.push(0xcb, ...new Uint8Array(view.buffer));
  }
}

/** The one value in `buffer` (an ArrayBuffer). Throws RangeError if it is cut short or of an unknown form. */
export function decode(buffer) {
  const view = new DataView(buffer);
  let at = 0;

  function uint(bytes) {
    let value = 0;
    for (; bytes; bytes--) value = value * 256 + view.getUint8(at++);
    return value;
  }

  function string(length) {
    const bytes = new Uint8Array(buffer, at, length);
    at += length;
    return toText.decode(bytes);
  }

  function array(length) {
    const list = [];
    while (length--) list.push(any());
    return list;
  }

  function map(length) {
    const object = { __proto__: null };
    while (length--) object[any()] = any();
    return object;
  }

  function any() {
    const type = uint(1);
    if (type < 0x80) return type;
    if (type < 0x90) return map(type & 15);
    if (type < 0xa0) return array(type & 15);
    if (type < 0xc0) return string(type & 31);
    if (type === 0xc0) return null;
    if (type === 0xc2 || type === 0xc3) return type === 0xc3;
    if (type === 0xcb) return view.getFloat64((at += 8) - 8);
    if (type >= 0xcc && type <= 0xcf) return uint(1 << (type - 0xcc));
    if (type > 0xd8 && type < 0xdb) return string(uint(type - 0xd8));
    if (type === 0xdc) return array(uint(2));
    if (type === 0xde) return map(uint(2));
    throw new RangeError(`msgpack ${type}`);
  }

  return any();
}
