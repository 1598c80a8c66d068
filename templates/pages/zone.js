// Shows the times in the visitor's own zone. Once a zone is in the address someone chose it, and this does nothing.
// Browsers may have a name of old for it, which the list knows; a zone that is not in the list stays out.
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
