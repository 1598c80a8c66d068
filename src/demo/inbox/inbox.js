// All of this is comfort: without scripts the inbox works too.

// Makes the frame as high as its email. The frame itself may not run scripts.
const frame = document.querySelector('#frame')
const fit = () => {
  const page = frame.contentDocument?.documentElement
  if (!page?.querySelector('body')) return
  frame.style.height = 'auto'
  frame.style.height = `${page.scrollHeight + 2}px`
}
if (frame) {
  frame.addEventListener('load', fit)
  addEventListener('resize', fit)
  if (frame.contentDocument?.readyState === 'complete') fit()
}

// Keeps the place in the list from one email to the next.
const emails = document.querySelector('#emails')
emails.scrollTop = Number(sessionStorage.getItem('scroll') ?? 0)
const current = emails.querySelector('[aria-current]')
if (document.body.className === 'reading' && emails.scrollHeight > emails.clientHeight)
  current?.scrollIntoView({ block: 'nearest' })
addEventListener('pagehide', () => sessionStorage.setItem('scroll', String(emails.scrollTop)))

// j and k, or the arrows in the list, go to the next and the previous email.
const STEPS = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }
addEventListener('keydown', (event) => {
  const step = STEPS[event.key]
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input')) return
  const inList = event.target.closest('#emails')
  if (event.key.startsWith('Arrow') && !inList) return
  const links = [...emails.querySelectorAll('li a')]
  const from = links.indexOf(inList ? event.target : emails.querySelector('[aria-current]'))
  const next = links[from + step]
  if (!next) return
  event.preventDefault()
  if (inList) next.focus()
  else next.click()
})

// Shows new emails as they arrive.
const list = document.querySelector('#list')
const look = async () => {
  const { total } = await (await fetch('/count')).json()
  if (String(total) === list.dataset.total) return
  // The first email also fills the other side.
  if (list.dataset.total === '0') return location.reload()
  // The email that is shown stays the current one, also where the first of the list would be.
  const shown = emails.querySelector('[aria-current]')?.href ?? location.href
  const page = new DOMParser().parseFromString(await (await fetch(shown)).text(), 'text/html')
  const held = emails.contains(document.activeElement) && document.activeElement.getAttribute('href')
  emails.replaceChildren(...page.querySelector('#emails').childNodes)
  document.querySelector('#count').textContent = page.querySelector('#count').textContent
  list.dataset.total = page.querySelector('#list').dataset.total
  if (held) [...emails.querySelectorAll('a')].find((link) => link.getAttribute('href') === held)?.focus()
}
setInterval(() => void look().catch(() => {}), 2_000)
