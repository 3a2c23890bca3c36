// @ts-check
/** Looks for the hub, and goes where the reader wanted to go as soon as it answers. */

const LOOK_MS = 3000;

const root = new URL('../../', import.meta.url);
const wanted = new URL((new URLSearchParams(location.search).get('to') ?? 'dashboard').replace(/^[/\\]+/, ''), root);
const target = wanted.href.startsWith(root.href) ? wanted.href : new URL('dashboard', root).href;

const link = document.getElementById('again');
if (link instanceof HTMLAnchorElement) link.href = target;

async function look() {
  try {
    const answer = await fetch(new URL('health', root), { cache: 'no-store', signal: AbortSignal.timeout(LOOK_MS) });
    if (answer.ok) location.replace(target);
  } catch {
    // still away
  }
}

setInterval(() => void look(), LOOK_MS);
