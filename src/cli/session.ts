/** One command's conversation with a cluster. */
import { failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';

/** Connects, works, and closes the connection whatever happened. */
export async function withConnection<T>(
  environment: CommandEnvironment,
  { kubeconfig, context }: ClusterChoice,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await environment.connect({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Asks until the answer is yes or no; anything but yes ends the command. */
export async function confirm({ ask }: CommandEnvironment, question: string): Promise<void> {
  for (;;) {
    const answer = await ask(`${question} (y/N) `);
    if (/^\s*y(es)?\s*$/iu.test(answer ?? '')) return;
    if (answer === undefined || /^\s*(no?)?\s*$/iu.test(answer)) {
      throw failure('notConfirmed', 'nothing was changed', 'Answer y, or give --skip-confirmation.');
    }
  }
}
