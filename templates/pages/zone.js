// Shows the times in the visitor's own zone. Once a zone is in the address someone chose it, and this does nothing.
const form = document.querySelector('form.choose')
const here = new URL(location.href)
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (form && zone && !here.searchParams.has('tz') && form.elements.tz.value !== zone) {
  here.searchParams.set('tz', zone)
  location.replace(here)
}
