// The desk's words: English as they stand in the page and in its scripts, French by this table.

import { words } from '/player/index.js';

/** @type {Record<string, string>} */
export const FRENCH = {
  // The page.
  'To the cameras': 'Vers les caméras',
  Commune: 'Commune',
  Cameras: 'Caméras',
  'Click a camera to choose it, double-click to enlarge it.': 'Un clic choisit une caméra, un double-clic l’agrandit.',
  'No camera chosen': 'Aucune caméra choisie',
  'What the chosen camera sends, and how well.': 'Ce qu’envoie la caméra choisie, et comment.',
  Snapshot: 'Image',
  'The camera cannot be moved.': 'La caméra ne peut pas être déplacée.',
  '● LIVE': '● DIRECT',
  'Click the timeline to play that moment; the wheel zooms.': 'Un clic sur la frise lit ce moment ; la molette change l’échelle.',
  'A part of the picture, larger (+)': 'Une partie de l’image, en plus grand (+)',
  'More of the picture (−)': 'Davantage de l’image (−)',
  'Zoom in': 'Agrandir dans l’image',
  'Zoom out': 'Réduire',
  'Into a window of its own (W)': 'Dans sa propre fenêtre (W)',
  Window: 'Fenêtre',
  'Click a tile, then the one whose place it shall take; or drag it': 'Cliquez une case, puis celle dont elle prendra la place ; ou glissez-la',
  Arrange: 'Arranger',
  'Full screen': 'Plein écran',
  'The cameras on the whole screen (F)': 'Les caméras sur tout l’écran (F)',
  'Local time or UTC': 'Heure locale ou UTC',
  'Light or dark': 'Clair ou sombre',
  'In French or English': 'En français ou en anglais',
  'The keys': 'Les touches',
  Playback: 'Lecture',
  'Back to the present (L)': 'Retour au direct (L)',
  '10 seconds back (J)': '10 secondes en arrière (J)',
  '−10 s: 10 seconds back': '−10 s : 10 secondes en arrière',
  'One picture back ( , )': 'Une image en arrière ( , )',
  'One picture back': 'Une image en arrière',
  'Pause and go on (Space)': 'Pause et reprise (Espace)',
  'One picture on ( . )': 'Une image en avant ( . )',
  'One picture on': 'Une image en avant',
  'Replay 30 s': 'Revoir 30 s',
  'The last 30 seconds again (R)': 'Les 30 dernières secondes (R)',
  Together: 'Ensemble',
  'All cameras at the same moment (M)': 'Toutes les caméras au même moment (M)',
  'Faster (J and L on the timeline: to and fro)': 'Plus vite (J et L sur la frise : dans les deux sens)',
  'Span of the timeline': 'Étendue de la frise',
  'The desk needs JavaScript: the player runs in this page.': 'Le poste a besoin de JavaScript : le lecteur tourne dans cette page.',
  // The dialog of the keys.
  Keys: 'Touches',
  Shift: 'Maj',
  Space: 'Espace',
  Enter: 'Entrée',
  Esc: 'Échap',
  Home: 'Début',
  End: 'Fin',
  camera: 'caméra',
  'from tile to tile': 'de case en case',
  'change places': 'échanger les places',
  'enlarge, and back': 'agrandir, et retour',
  'full screen': 'plein écran',
  'in a window of its own': 'dans sa propre fenêtre',
  'zoom in the picture; the arrows move it': 'agrandir dans l’image ; les flèches la déplacent',
  back: 'retour',
  live: 'direct',
  'pause, and go on': 'pause, et reprise',
  'one picture back, one on': 'une image en arrière, en avant',
  snapshot: 'garder l’image',
  'to the timeline': 'vers la frise',
  'these keys': 'ces touches',
  'On the timeline': 'Sur la frise',
  '1 s; with': '1 s ; avec',
  '10 s, with': '10 s, avec',
  '1 min': '1 min',
  'from camera to camera': 'de caméra en caméra',
  'start of the recording, live': 'début de l’enregistrement, direct',
  zoom: 'échelle',
  'all cameras at the same moment': 'toutes les caméras au même moment',
  'the last 30 s again': 'les 30 dernières secondes',
  'backwards, pause, forwards; again: faster': 'arrière, pause, avant ; encore : plus vite',
  'next gap; with': 'lacune suivante ; avec',
  'the one before': 'la précédente',
  Close: 'Fermer',
  // The scripts.
  Light: 'Clair',
  Dark: 'Sombre',
  'Local time': 'Heure locale',
  Enlarge: 'Agrandir',
  'Show all': 'Tout montrer',
  Pause: 'Pause',
  'Go on': 'Reprendre',
  '{0}: speed': '{0} : vitesse',
  'There is no picture to keep.': 'Il n’y a pas d’image à garder.',
  'Saved {0}': 'Enregistré : {0}',
  '{0} of {1} recording': '{0} sur {1} enregistrent',
  '1 gap in view': '1 lacune en vue',
  '{0} gaps in view': '{0} lacunes en vue',
  'no gaps in view': 'aucune lacune en vue',
  'what is held cannot be read': 'scellés illisibles',
  '◌ recording not known': '◌ enregistrement inconnu',
  'All communes': 'Toutes les communes',
  'This desk needs its key': 'Ce poste attend sa clé',
  'Open the address that vigie-centre printed when it started: the key stands in it after #token=.':
    'Ouvrez l’adresse que vigie-centre a affichée à son démarrage : la clé y suit #token=.',
  'It was not in the address you opened, and this tab has none from before.': 'L’adresse ouverte n’en avait pas, et cet onglet n’en garde aucune.',
  'No cameras yet': 'Pas encore de caméra',
  'Add one to the centre’s TOML file and start the centre again:': 'Ajoutez-en une au fichier TOML du centre et relancez-le :',
  'under a [[tenant]], a [[tenant.camera]] with id, name and url.': 'sous un [[tenant]], une [[tenant.camera]] avec id, name et url.',
  'This address has expired': 'Cette adresse a expiré',
  'The centre was started anew, and every start has a key of its own.': 'Le centre a redémarré, et chaque démarrage a sa propre clé.',
  'Open the address that it printed last.': 'Ouvrez l’adresse qu’il a affichée en dernier.',
  'The centre answers with an error (HTTP {0}).': 'Le centre répond par une erreur (HTTP {0}).',
  'The centre does not answer; the desk asks again by itself.': 'Le centre ne répond pas ; le poste redemande de lui-même.',
  'The centre does not answer': 'Le centre ne répond pas',
  'Is vigie-centre running, and is this its address?': 'vigie-centre tourne-t-il, et est-ce bien son adresse ?',
  'The desk asks again by itself.': 'Le poste redemande de lui-même.',
  // What the centre says of a camera.
  recording: 'enregistre',
  connecting: 'se connecte',
  'not recorded': 'non enregistré',
  'sends nothing': 'n’envoie rien',
  'no signal': 'pas de signal',
  'in another window': 'dans une autre fenêtre',
  'wrong password': 'mot de passe refusé',
  'the camera is connected and sends no pictures': 'la caméra est connectée et n’envoie pas d’images',
  // The panel.
  Picture: 'Image',
  Codec: 'Codec',
  Profile: 'Profil',
  Rate: 'Débit',
  GOP: 'GOP',
  Delay: 'Retard',
  Clock: 'Horloge',
  'Packets lost': 'Paquets perdus',
  Why: 'Pourquoi',
  '{0} since': '{0} depuis',
  recorded: 'enregistré',
  '1 quirk of this camera': '1 particularité de cette caméra',
  '{0} quirks of this camera': '{0} particularités de cette caméra',
};

/** Why a camera is not there, by the number of the error (core/docs/errors.md). Behind a colon the centre's own words follow. @type {Record<string, string>} */
export const REASONS = {
  V0700: 'la caméra demande un utilisateur et un mot de passe',
  V0701: 'la caméra refuse l’utilisateur ou le mot de passe ; vérifiez les deux',
  V0702: 'la caméra demande une authentification autre que Basic et Digest',
  V0703: 'la caméra n’offre pas de vidéo à cette adresse',
  V0704: 'la vidéo de la caméra n’est ni H.264, ni H.265, ni JPEG, ni AV1 ; choisissez l’un d’eux dans ses réglages',
  V0705: 'la caméra n’envoie sa vidéo par aucun des transports permis',
  V0706: 'la caméra n’a pas de flux à cette adresse ; vérifiez le chemin',
  V0707: 'la caméra répond par une erreur :',
  V0708: 'la caméra ne répond pas',
  V0709: 'la caméra a cessé d’envoyer la vidéo',
  V0710: 'la caméra a fermé la connexion',
  V0711: 'la caméra renvoie vers une adresse inutilisable',
  V0712: 'la caméra n’accepte pas d’autre session ; terminez-en une :',
  V0713: 'la caméra attend du client les clés SRTP',
  V0714: 'la caméra renvoie de TLS vers une adresse en clair ; refusé',
  V0715: 'la caméra n’offre rien de ce qui est demandé à cette adresse',
  V0716: 'aucun port UDP n’a pu être ouvert',
  V0717: 'la caméra enfreint une règle du protocole :',
  V0800: 'hôte inconnu',
  V0801: 'le port est fermé : connexion refusée',
  V0802: 'pas de route vers l’hôte',
  V0803: 'pas de réponse à la demande de connexion',
  V0804: 'la connexion a échoué :',
  V0805: 'la connexion s’est rompue',
  V0806: 'trop de renvois',
  V0808: 'la caméra a terminé la session',
  V0809: 'le certificat n’est pas celui qui est attendu :',
  V0810: 'le certificat n’est pas accepté :',
  V0811: 'pas de TLS à ce port',
  V0812: 'échec de la négociation TLS : rien de commun avec la caméra',
  V0813: 'la caméra veut un certificat de client, ou refuse celui qui lui est montré',
  V0814: 'les certificats ou la clé sont inutilisables : pas du PEM, ou ils ne vont pas ensemble',
  V0815: 'cette machine n’a pas de liste d’autorités de certification',
  V0816: 'ce n’est pas une empreinte : 64 chiffres hexadécimaux',
  V0817: 'pas de HTTP à ce port',
  V0818: 'la caméra refuse le tunnel :',
  V0819: 'le client n’a pas dit à temps ce qu’il veut',
  V0820: 'le client demande un transport qui n’est pas servi',
  V0821: 'trop de tunnels attendent leur seconde moitié',
  V0830: 'plus de place pour une autre caméra',
};

/** What was chosen last, else the browser's own. */
export const lang = (localStorage.getItem('vigie-lang') ?? navigator.language).startsWith('fr') ? 'fr' : 'en';
/** The player's words. */
export const player = await words(lang);

/** In the desk's language. @param {string} text  In English; `{0}`, `{1}` … take the words that follow. @param {(string | number)[]} given */
export function say(text, ...given) {
  const found = (lang === 'fr' && FRENCH[text]) || text;
  return found.replace(/\{(\d)\}/g, (_, n) => String(given[n] ?? ''));
}

/** Why a camera is not there; empty where it is. @param {{reason: string | null, reason_code: string | null}} camera */
export function because({ reason, reason_code: code }) {
  // The number goes along: who calls the supplier names it.
  const french = lang === 'fr' && code ? REASONS[code] : undefined;
  if (!reason || !french) return reason ? say(reason) : '';
  // What the centre alone knows, a status, a fingerprint, stands in its own words.
  return french.endsWith(' :') ? `${french} ${reason} (${code})` : `${french} (${code})`;
}

/** Puts the page itself into it, once. */
export function translate() {
  document.documentElement.lang = lang;
  if (lang === 'en') return;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = (node.nodeValue ?? '').trim();
    if (text in FRENCH) node.nodeValue = (node.nodeValue ?? '').replace(text, say(text));
  }
  for (const name of ['title', 'aria-label']) {
    for (const element of document.querySelectorAll(`[${name}]`)) element.setAttribute(name, say(element.getAttribute(name) ?? ''));
  }
}
