// Adds a button that copies the link of the private calendar. Without this script, the link can be selected and copied.
const button = document.getElementById('copy')
const link = document.getElementById('link')
const said = document.getElementById('copied')
if (button && link && navigator.clipboard) {
  const label = button.textContent
  button.hidden = false
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(link.textContent.trim())
      button.textContent = said.textContent = button.dataset.done
      setTimeout(() => {
        button.textContent = label
        said.textContent = ''
      }, 4_000)
    } catch {
      // Not allowed: select it, so that the person can copy it.
      getSelection().selectAllChildren(link)
    }
  })
}
