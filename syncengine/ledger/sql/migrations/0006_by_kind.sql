-- Schema 6: amounts and deliveries on record are found without reading all attempts of an account.

CREATE INDEX attempts_by_kind ON attempts (account, kind, delivery, number) WHERE kind <> 'update';
