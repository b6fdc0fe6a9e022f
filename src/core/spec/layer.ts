/** One layer of what a user gives: the specification of one file, or of the resource in the cluster. */
import type { Position } from '../../model/diagnostic.ts';

export interface SpecLayer {
  /** The value of `spec`, not yet looked at. */
  readonly spec: unknown;
  /** What a person calls it: a file name, or `IstioOperator istio-system/demo`. */
  readonly source: string;
  /** Where a printed path (beginning with `spec`) stands; for paths that do not exist, their nearest parent. */
  readonly locate?: (path: string) => Position | undefined;
}
