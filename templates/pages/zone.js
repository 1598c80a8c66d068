// Shows the times in the visitor's time zone. Does nothing if the URL has a zone: then the visitor chose it.
// Browsers may report a former name of it, which the list knows; a zone that is not in the list stays out.
const form = document.querySelector('form.choose')
const here = new URL(location.href)
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (form && zone && !here.searchParams.has('tz')) {
  const isOurs = ({ value, dataset }) => value === zone || dataset.was?.split(' ').includes(zone)
  const option = [...form.elements.tz.options].find(isOurs)
  if (option && !option.selected) {
    here.searchParams.set('tz', option.value)
    location.replace(here)
  }
}
