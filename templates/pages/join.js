// Selects the browser's time zone, unless one was chosen already. The list also works without this script.
// Browsers may report a former name of it, which the list knows. A zone that is not in the list would be refused: then the
// visitor has to choose one, so the list is shown.
const select = document.getElementById('tz')
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
if (select && zone && !('kept' in select.dataset)) {
  const isOurs = ({ value, dataset }) => value === zone || dataset.was?.split(' ').includes(zone)
  const option = [...select.options].find(isOurs)
  if (option) select.value = option.value
  else select.closest('details').open = true
}
