// Shows the times in the visitor's time zone. Does nothing if the URL has a zone: then the visitor chose it.
// Browsers may report a former name of it, which a full list knows; a zone that is not in it stays out. A short list has only
// the zones nearby, and the server knows the others.
const form = document.querySelector('form.choose')
const here = new URL(location.href)
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (form && zone && !here.searchParams.has('tz')) {
  const isOurs = ({ value, dataset }) => value === zone || dataset.was?.split(' ').includes(zone)
  const option = [...form.elements.tz.options].find(isOurs)
  const isElsewhere = !option && form.classList?.contains('short') && /^[A-Z]\w*\//.test(zone)
  if (isElsewhere || (option && !option.selected)) {
    here.searchParams.set('tz', option?.value ?? zone)
    location.replace(here)
  }
}
