// Keeps a page up to date while emails go out. Without scripts the page loads itself again.

const place = document.querySelector('[data-live]')
const EVERY_MS = 2000
let etag = ''

async function look() {
  const response = await fetch(place.dataset.live, { headers: etag ? { 'if-none-match': etag } : {} }).catch(() => null)
  if (response?.status === 304) return true
  if (!response?.ok || response.redirected) return true
  etag = response.headers.get('etag') ?? ''
  const { done, candidates, isLive, ...texts } = await response.json()
  const bar = place.querySelector('progress')
  bar.max = Math.max(candidates, 1)
  bar.value = done
  for (const [name, text] of Object.entries(texts)) place.querySelector(`[data-name=${name}]`).textContent = text
  if (!isLive) location.reload()
  return isLive
}

async function follow() {
  if (document.hidden || (await look())) setTimeout(follow, EVERY_MS)
}

if (place) setTimeout(follow, EVERY_MS)
