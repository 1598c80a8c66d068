import type { Voice } from './words.ts'

/** What a new subscriber agrees to, as the page shows it beside the button. */
export function consentWording(practice: string, { say }: Voice): string {
  return say('consent', { practice })
}

/** The wording as it was shown, and its language, as they are kept as evidence (GDPR art. 7.1). */
export function consentEvidence(practice: string, voice: Voice): string {
  return `${consentWording(practice, voice)} (${voice.language})`
}
