/** The operator's own version; equal to the one in package.json, which a test checks. */
export const VERSION = '0.1.0';
