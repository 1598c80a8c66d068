// Seats without leaving the page: a press is sent, and the ten seconds in which it can be undone are counted down.
const COUNTS = /\d+/

for (const cell of document.querySelectorAll('[data-seats]')) watch(cell)

function watch(cell) {
  const [press, undo] = cell.querySelectorAll('form')
  // Not a live region: nobody wants to hear it count. The number of spots beside it is one.
  const said = undo.querySelector('.count')
  const words = said.textContent.trim() || '10'
  let due = undo.hidden ? 0 : performance.now() + Number(undo.dataset.due)
  const show = (seats) => {
    cell.querySelector('output').textContent = seats.shown
    const [less, more] = press.querySelectorAll('button')
    less.disabled = !seats.canLess
    more.disabled = !seats.canMore
    undo.hidden = seats.saving === null
    said.textContent = seats.saving ?? ''
    due = performance.now() + seats.dueInMs
  }
  for (const form of [press, undo])
    form.addEventListener('submit', async (event) => {
      event.preventDefault()
      const body = new URLSearchParams(new FormData(form, event.submitter))
      try {
        const answer = await fetch(form.action, { method: 'POST', body, headers: { accept: 'application/json' } })
        const seats = answer.ok ? await answer.json() : null
        if (seats === null) location.reload()
        else show(seats)
      } catch {
        location.reload()
      }
    })
  setInterval(() => {
    if (undo.hidden) return
    const left = Math.ceil((due - performance.now()) / 1000)
    if (left <= 0) undo.hidden = true
    else said.textContent = (said.textContent || words).replace(COUNTS, String(left))
  }, 250)
}
