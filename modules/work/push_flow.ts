/** Notices that a node which used to push its work pushes no more. */

/** New heights in a row that were learnt otherwise before the pushes are called silent. */
export const SILENT_HEIGHTS = 3;

/** The pushes of one node. */
export class PushFlow {
  #pushes = false;
  #silent = false;
  #unpushed = 0;
  #height = 0;

  /** A push came; gives true when it ends a silence. */
  pushed(height = 0): boolean {
    const wasSilent = this.#silent;
    this.#pushes = true;
    this.#silent = false;
    this.#unpushed = 0;
    this.#height = Math.max(this.#height, height);
    return wasSilent;
  }

  /** The node gave work when it was asked; gives true when a silence begins. */
  asked(height: number): boolean {
    if (!this.#pushes || height <= this.#height) return false;
    this.#height = height;
    if (++this.#unpushed < SILENT_HEIGHTS || this.#silent) return false;
    return this.#silent = true;
  }
}
