// The clock of the machine, also where a test has faked the timers.

// Kept from before a test fakes them.
export const later = globalThis.setTimeout;
export const never = globalThis.clearTimeout;
export const now: () => number = performance.now.bind(performance);

/** Whether a test has its hand on the clock now. */
export const isFaked = (): boolean => globalThis.setTimeout !== later;

/** The next turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => void later(resolve, 0));
