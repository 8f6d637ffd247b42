// Why something could not be had or done.
import type { Problem } from "../api/call.ts";

export function ProblemNote({ problem, again }: { problem: Problem; again?: () => void }) {
    return (
        <div class="note bad" role="alert">
            <strong>{problem.title}</strong>
            <p>{problem.detail}</p>
            {again && (
                <button type="button" onClick={again}>
                    Try again
                </button>
            )}
        </div>
    );
}
