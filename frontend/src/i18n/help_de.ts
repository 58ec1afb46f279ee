/** Fragen und Antworten auf Deutsch. */
import type { Help } from "./help_en.ts";

export const help: Help = [
  [
    "hashrate",
    "Warum steht hier eine andere Hashrate als in meinem Programm?",
    "Dein Programm zählt Hashes. Der Pool sieht nur Shares, und ein Share ist Glückssache: Die effektive Hashrate wird aus den Shares der letzten 30 Minuten berechnet und schwankt um die wirkliche. Die Mittel über 3 und 24 Stunden schwanken weniger; vergleiche diese.",
    "Bleibt das Tagesmittel um mehr als ein paar Prozent unter dem, was dein Programm meldet, dann sieh dir die veralteten und ungültigen Shares an.",
  ],
  [
    "ramp",
    "Warum steigt meine Hashrate so langsam?",
    "Sie ist ein Mittel über 30 Minuten. Nach zehn Minuten ist ein Drittel dieser Zeit voll, also wird etwa ein Drittel deiner Hashrate gezeigt. Umgekehrt gilt dasselbe, wenn du aufhörst.",
  ],
  [
    "stale",
    "Was sind veraltete und ungültige Shares?",
    "Ein veralteter Share ist richtig, aber zu spät: Das Netz war schon beim nächsten Block. Bis zu zwei Prozent sind üblich; mehr deutet auf eine langsame Verbindung. Ein ungültiger Share ist falsch, fast immer wegen Übertaktung.",
  ],
  [
    "payout",
    "Wann werde ich ausgezahlt?",
    "Wenn dein offenes Guthaben die Schwelle erreicht, zahlt der nächste Lauf alles aus. Nur reife Blöcke zählen: Unreife Gutschriften werden zu offenem Guthaben, sobald ihre Blöcke genug Bestätigungen haben. Auf deiner Seite steht, worauf du wartest.",
  ],
  [
    "immature",
    "Warum ist mein unreifes Guthaben geschrumpft?",
    "Ein Block kann verwaisen: Ein anderer hat seinen Platz in der Kette eingenommen, und er bringt nichts ein. Seine Gutschriften werden zurückgenommen, und beim proportionalen Verfahren kehren seine Shares in die Runde zurück.",
  ],
  [
    "effort",
    "Was ist der Aufwand?",
    "Die Arbeit, die der Pool in einen Block gesteckt hat, in Prozent dessen, was ein Block im Mittel braucht. Bei 50 % kam der Block nach der halben Arbeit, bei 200 % brauchte er die doppelte. Über viele Blöcke nähert sich der Wert 100 %.",
  ],
  [
    "schemes",
    "Was bedeuten proportional, PPLNS und solo?",
    "Proportional: Jeder Block wird nach den Shares seiner eigenen Runde aufgeteilt. PPLNS: Er wird nach den letzten Shares vor ihm aufgeteilt, gleich aus welcher Runde. Solo: Er gehört dem, der ihn gefunden hat.",
  ],
  [
    "threshold",
    "Kann ich meine Schwelle ändern?",
    "Ja, unter Einstellungen auf deiner Seite. Die Änderung gilt, wenn die Wallet deiner Auszahlungsadresse sie unterschrieben hat; das kostet nichts.",
  ],
];
