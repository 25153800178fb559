/** What went wrong. */

/** Something that keeps what is shown from being up to date. */
export interface IProblem {
  readonly message: string;
  readonly since: Date;
}

/** The problem after an error; one that lasts keeps its beginning. */
export function toProblem(error: unknown, before: IProblem | null): IProblem {
  return { message: messageOf(error), since: before?.since ?? new Date() };
}

/** What an error says to the user. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
