// One camera as a React component. React 18 and 19.

import { useEffect, useLayoutEffect, useRef } from 'react';

/**
 * @param {object} props
 * @param {string} props.tenant
 * @param {string} props.camera
 * @param {string} [props.label]
 * @param {string} props.token
 * @param {(state: string, cause: {kind: string} | null) => void} [props.onState]
 */
export function Camera({ tenant, camera, label, token, onState }) {
  const player = useRef(null);
  // By hand: where the element is not defined yet, React would write the token into an attribute, for all to read.
  useLayoutEffect(() => {
    player.current.token = token;
  }, [token]);
  useEffect(() => {
    const element = player.current;
    const heard = ({ detail }) => onState?.(detail.state, detail.cause);
    element.addEventListener('vigie-state', heard);
    heard({ detail: { state: element.state ?? 'idle', cause: element.cause ?? null } });
    return () => element.removeEventListener('vigie-state', heard);
  }, [onState]);
  return <vigie-player ref={player} tenant={tenant} camera={camera} label={label} />;
}
