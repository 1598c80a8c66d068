import type { Config } from 'jest'

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/redis.ts',
  globalTeardown: '<rootDir>/test/redis-stop.ts',
  // Half of the time tests wait for children, Redis and sockets, so a core that Jest would keep free is put to use.
  maxWorkers: '100%',
  testTimeout: 30_000,
}

export default config
