// Before the first paint, or a reader of the dark scheme is dazzled by a white page at every load.
(function () {
  var chosen;
  try {
    chosen = localStorage.getItem('aetherflow-color-scheme');
  } catch {
    chosen = null; // Storage can be shut off; the system's choice still counts.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
