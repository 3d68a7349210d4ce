// Renews the page after each cycle of the daemon, in place: what is unfolded stays unfolded, and nothing scrolls.
// Without this file the page is whole, and asks for itself every 30 seconds.
'use strict';

(() => {
  const PARTS = ['header', 'main', 'footer'];
  const LEAST_MILLISECONDS = 2000; // a simulated AWS runs many cycles a second
  const RETRY_MILLISECONDS = 30000;
  let isBusy = false;
  let isDue = false;
  let last = 0;

  // Whoever selects text, or works in the page by keyboard, is reading: not under their eyes.
  const isRead = () => {
    const selection = document.getSelection();
    const focused = document.activeElement;
    return (selection !== null && !selection.isCollapsed) || (focused !== null && focused.closest('main') !== null);
  };

  const renew = async () => {
    if (isBusy || document.hidden || isRead() || Date.now() - last < LEAST_MILLISECONDS) {
      isDue = true;
      return;
    }
    isBusy = true;
    isDue = false;
    try {
      const answer = await fetch('/', { credentials: 'same-origin' });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const open = [...document.querySelectorAll('details')].map((fold) => fold.open);
      for (const part of PARTS) {
        const [old, young] = [document.querySelector(`body > ${part}`), fresh.querySelector(`body > ${part}`)];
        if (old !== null && young !== null) old.replaceWith(document.adoptNode(young));
      }
      const folds = [...document.querySelectorAll('details')];
      if (folds.length === open.length) folds.forEach((fold, index) => { fold.open = open[index]; });
      document.title = fresh.title;
      document.body.className = fresh.body.className;
      last = Date.now();
    } catch {
      isDue = true; // the daemon is gone for now: what is shown says of when it is
    } finally {
      isBusy = false;
    }
  };

  const listen = () => {
    const events = new EventSource('/live');
    events.addEventListener('cycle', renew);
    events.addEventListener('error', () => {
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MILLISECONDS);
    });
  };

  setInterval(() => { if (isDue) renew(); }, LEAST_MILLISECONDS);
  // Where no event comes at all, as behind a proxy that keeps them back, the page is as fresh as without script.
  setInterval(() => { if (RETRY_MILLISECONDS <= Date.now() - last) renew(); }, RETRY_MILLISECONDS);
  last = Date.now();
  listen();
})();
