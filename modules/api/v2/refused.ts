/** Failures as `/api/v2` writes them: a code for programs, a sentence that names field and mend. */

/** A failure's answer. */
export function refused(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify({ error: { code, message } }), {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
  });
}
