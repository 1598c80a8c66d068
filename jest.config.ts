import { availableParallelism } from 'node:os'
import type { Config } from 'jest'

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // `npm run test:browser` and `test:postgres`
  testPathIgnorePatterns: ['/test/browser/', '/test/deploy/', '/test/postgres/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/setup.ts',
  globalTeardown: '<rootDir>/test/teardown.ts',
  // Tests wait for child processes, Redis, and sockets half of the time.
  maxWorkers: availableParallelism() + 1,
  testTimeout: 90_000,
}

export default config
