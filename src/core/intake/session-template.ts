import { csvOf } from '../csv.ts'
import { SESSION_COLUMNS } from './records.ts'

/**
 * The template of a sessions file: every column, and two examples, which import cleanly. They have the status cancelled, so
 * that no page and no email shows them if they are imported by mistake.
 */
export function sessionsTemplate(): string {
  return csvOf([SESSION_COLUMNS.known, ...EXAMPLES.map(cells)]).replaceAll('\r\n', '\n')
}

const EXAMPLES: readonly Readonly<Record<string, string>>[] = [
  {
    external_id: 'example-1',
    group: 'Steady Ground',
    topic: 'anxiety',
    kind: 'therapy',
    therapist: 'Dr. Mira Lee, PsyD',
    starts_at: '1/12/2027 7:00 PM',
    time_zone: 'Eastern',
    duration_minutes: '90',
    repeats: 'weekly',
    seats_total: '8',
    seats_left: '3',
    status: 'cancelled',
    booking_url: 'https://booking.example.com/steady-ground',
    summary: 'A calm place to work on worry with others.',
    group_url: 'https://www.example.com/groups/steady-ground',
    language: 'en',
    place: 'Online',
    price: '$60 a session',
  },
  {
    external_id: 'example-2',
    group: 'Grief Workshop',
    topic: 'grief-and-loss',
    kind: 'skills',
    therapist: 'Priya Raman, LMFT',
    starts_at: '2027-01-16T10:00',
    time_zone: 'America/Los_Angeles',
    duration_minutes: '120',
    repeats: 'once',
    status: 'cancelled',
    booking_url: 'https://booking.example.com/grief-workshop',
    place: 'Online',
  },
]

const cells = (example: Readonly<Record<string, string>>) =>
  SESSION_COLUMNS.known.map((column) => example[column] ?? '')
