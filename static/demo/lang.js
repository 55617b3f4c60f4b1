// Before anything is drawn: the language of this page, so that nothing flashes and the beacon tells the right one.
(() => {
  const wanted = new URLSearchParams(location.search).get('lang');
  const known = (language) => language === 'ja' || language === 'en';
  try {
    if (known(wanted)) localStorage.setItem('utsuwa_lang', wanted);
    const kept = localStorage.getItem('utsuwa_lang');
    document.documentElement.lang = known(wanted) ? wanted : known(kept) ? kept : 'ja';
  } catch {
    document.documentElement.lang = known(wanted) ? wanted : 'ja';
  }
})();
