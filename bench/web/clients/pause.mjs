/** How long every client waits before it connects again, in the mean: their own defaults are 0.25 to 5 seconds. */
export const PAUSE_MS = 100;
