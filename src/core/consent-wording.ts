/** Rises with every change of the words below: what someone agreed to is kept as it was shown to them. */
const VERSION = 1

/** What a new subscriber agrees to, as the page shows it beside the button. */
export function consentWording(practice: string): string {
  return `Please send me a weekly mail with the new group times of ${practice}, until I unsubscribe.`
}

/** The wording and its version, as they are kept as evidence (GDPR art. 7.1). */
export function consentEvidence(practice: string): string {
  return `${consentWording(practice)} (wording ${VERSION})`
}
