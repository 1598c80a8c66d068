// Shows the times in the visitor's time zone. Does nothing if the URL has a zone: then the visitor chose it.
const form = document.querySelector('form.choose')
const here = new URL(location.href)
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (form && zone && !here.searchParams.has('tz') && form.elements.tz.value !== zone) {
  here.searchParams.set('tz', zone)
  location.replace(here)
}
