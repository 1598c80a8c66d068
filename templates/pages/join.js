// Chooses the browser's own time zone, unless someone has chosen one already. Without this script the list is there too.
// Browsers may have a name of old for it, which the list knows; a zone that is not in the list would be refused.
const select = document.getElementById('tz')
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
if (select && zone && !('kept' in select.dataset)) {
  const isOurs = ({ value, dataset }) => value === zone || dataset.was?.split(' ').includes(zone)
  const option = [...select.options].find(isOurs)
  if (option) select.value = option.value
}
