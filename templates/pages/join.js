// Selects the browser's time zone, unless one was chosen already. The list also works without this script.
const select = document.getElementById('tz')
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
if (select && zone && !('kept' in select.dataset)) {
  const known = [...select.options].some((option) => option.value === zone)
  if (!known) select.add(new Option(zone.split('/').pop().replaceAll('_', ' '), zone), 0)
  select.value = zone
}
