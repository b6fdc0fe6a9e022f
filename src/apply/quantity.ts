/** Kubernetes quantities, such as `100m`, `1Gi` or `2`: the API server stores them in another spelling than it is given. */
import type { JsonValue } from '../model/json.ts';

const FORM = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i))?$/;

/** The server keeps nothing smaller than 10^-9. */
const SCALE_DIGITS = 9;

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const BINARY_EXPONENTS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/**
 * Tells whether two values are the same quantity, as `1024Mi` and `1Gi`, `0.1` and `100m`, `2` and `"2"` are.
 * False when either is not a quantity.
 */
export function sameQuantity(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  const leftAmount = amountOf(left);
  return leftAmount !== undefined && leftAmount === amountOf(right);
}

/** The amount in billionths, exact and rounded away from zero as the API server does. */
function amountOf(value: JsonValue | undefined): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const match = FORM.exec(String(value).trim());
  if (match === null) return undefined;
  const [, sign, digits = '', exponent, suffix = ''] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const power = exponent === undefined ? (DECIMAL_EXPONENTS[suffix] ?? 0) : Number(exponent.slice(1));
  const factor = 2n ** BigInt(BINARY_EXPONENTS[suffix] ?? 0);
  const amount = shift(BigInt(`${whole}${fraction}`) * factor, power - fraction.length + SCALE_DIGITS);
  return sign === '-' ? -amount : amount;
}

/** Multiplies by a power of ten; what a negative power cuts off counts as one. */
function shift(amount: bigint, power: number): bigint {
  if (power >= 0) return amount * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (amount + divisor - 1n) / divisor;
}
