/** Samples side by side. */

import type { Picture } from "./content";

export function Strip({ pictures, of }: { pictures: readonly Picture[]; of: string }) {
  if (pictures.length === 0) return null;
  return (
    <ul class="report-strip" aria-label={`Samples: ${of}`}>
      {pictures.map(({ sample_id, state, picture, told }) => (
        <li key={`${state}/${sample_id}`}>
          {picture ? (
            <img src={picture} alt={`Sample ${sample_id}`} />
          ) : (
            <span class="report-blank" aria-hidden="true" />
          )}
          <span class="report-id" title={`${state}/${sample_id}`}>
            {sample_id}
          </span>
          {told && <span class="report-why">{told}</span>}
        </li>
      ))}
    </ul>
  );
}
