/**
 * How Node.js runs the operator, whose work is little and whose memory is what people see. These cannot stand in
 * NODE_OPTIONS, so the image starts with them. Measured with 100 resources, at rest: a tight heap is 10 MiB less, and no
 * third compiler 2.5 MiB; a plan of 500 gateways takes 1.1 s instead of 1.0 s, a cold start no more than before.
 */
export const NODE_FLAGS = ['--optimize-for-size', '--max-opt=2'] as const;
