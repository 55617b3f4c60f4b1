// For a page that wants to call us before, or whether or not, the beacon is there: every call is kept until it comes. A page
// may carry these lines inline.

const calls = window.router = window.router || [];
if (!calls.session) {
  for (const name of ['track', 'identify', 'consent', 'open', 'on', 'destroy']) {
    calls[name] = calls[name] || ((...args) => { calls.push([name, ...args]); });
  }
}
