// Chooses the browser's own time zone, unless someone has chosen one already. Without this script the list is there too.
const select = document.getElementById('tz')
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
if (select && zone && !('kept' in select.dataset)) {
  const known = [...select.options].some((option) => option.value === zone)
  if (!known) select.add(new Option(zone.split('/').pop().replaceAll('_', ' '), zone), 0)
  select.value = zone
}
