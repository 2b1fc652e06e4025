CREATE SCHEMA syncengine;
CREATE TABLE syncengine.accounts (
    account text NOT NULL,
    host text NOT NULL,
    since text NOT NULL
);
CREATE TABLE syncengine.answers (
    request bigint NOT NULL,
    verdict text NOT NULL,
    status bigint NOT NULL,
    at text NOT NULL,
    outcome text NOT NULL,
    words text NOT NULL,
    salt text NOT NULL,
    seal text
);
CREATE TABLE syncengine.attempts (
    number bigint NOT NULL,
    account text NOT NULL,
    lead text NOT NULL,
    operation text NOT NULL,
    changeset text NOT NULL,
    kind text NOT NULL,
    delivery text NOT NULL,
    generation bigint NOT NULL,
    vals text NOT NULL,
    salt text NOT NULL,
    seal text
);
CREATE TABLE syncengine.chain (
    "position" bigint NOT NULL,
    account text NOT NULL,
    lane text NOT NULL,
    step bigint NOT NULL,
    kind text NOT NULL,
    ref text NOT NULL,
    hash text NOT NULL
);
CREATE TABLE syncengine.changesets (
    account text NOT NULL,
    changeset text NOT NULL
);
CREATE TABLE syncengine.doubts (
    number bigint NOT NULL,
    account text NOT NULL,
    operation text NOT NULL
);
CREATE TABLE syncengine.erasures (
    account text NOT NULL,
    lead text NOT NULL,
    by_whom text NOT NULL,
    at text NOT NULL
);
CREATE TABLE syncengine.events (
    id text NOT NULL,
    account text NOT NULL,
    kind text NOT NULL,
    by_whom text NOT NULL,
    note text NOT NULL,
    detail text NOT NULL,
    at text NOT NULL
);
CREATE TABLE syncengine.lanes (
    account text NOT NULL,
    lane text NOT NULL,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    host text NOT NULL,
    pid bigint NOT NULL,
    since text NOT NULL,
    expires bigint NOT NULL,
    token text NOT NULL,
    step bigint NOT NULL,
    head text NOT NULL
);
CREATE TABLE syncengine.meta (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE syncengine.names (
    account text NOT NULL,
    changeset text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    target text NOT NULL,
    run text NOT NULL
);
CREATE TABLE syncengine.outcomes (
    number bigint NOT NULL,
    outcome text NOT NULL,
    words text NOT NULL,
    salt text NOT NULL,
    seal text
);
CREATE TABLE syncengine.pending (
    request bigint NOT NULL,
    account text NOT NULL,
    run text NOT NULL
);
CREATE SEQUENCE syncengine.request_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE syncengine.requests (
    id bigint NOT NULL,
    run text NOT NULL,
    epoch bigint NOT NULL,
    at text NOT NULL
);
CREATE TABLE syncengine.resolutions (
    number bigint NOT NULL,
    applied bigint NOT NULL,
    by_whom text NOT NULL,
    at text NOT NULL,
    note text NOT NULL,
    salt text NOT NULL,
    seal text
);
CREATE TABLE syncengine.runs (
    id text NOT NULL,
    "position" bigint NOT NULL,
    account text NOT NULL,
    lane text NOT NULL,
    epoch bigint NOT NULL,
    plan text NOT NULL,
    plan_path text NOT NULL,
    changesets text NOT NULL,
    total bigint NOT NULL,
    host text NOT NULL,
    policy_digest text NOT NULL,
    wire_digest text NOT NULL,
    tool text NOT NULL,
    approvals text NOT NULL,
    machine text NOT NULL,
    pid bigint NOT NULL,
    started text NOT NULL,
    ended text,
    exit_code bigint,
    stopped text,
    cancelled_by text,
    cancelled_at text
);
CREATE TABLE syncengine.tallies (
    account text NOT NULL,
    run text NOT NULL,
    applied bigint NOT NULL,
    rejected bigint NOT NULL,
    not_sent bigint NOT NULL
);
INSERT INTO syncengine.accounts VALUES ('acme', 'loopback', '2026-11-28T05:45:43.784719Z');
INSERT INTO syncengine.answers VALUES (1, 'elements', 200, '2026-11-28T05:45:44.044429Z', 'applied', '["OK","OK",[]]', '5c9e32cbd88dbae32f7f9566', NULL);
INSERT INTO syncengine.answers VALUES (3, 'elements', 200, '2026-11-28T05:45:44.103228Z', 'applied', '["OK","Queued for processing",[]]', '3725615036cb06d5bf99b6fc', NULL);
INSERT INTO syncengine.answers VALUES (4, 'elements', 200, '2026-11-28T05:45:44.365190Z', 'applied', '["OK","Lead updated",[]]', 'b16a0c34c3899a1a3bc6124c', NULL);
INSERT INTO syncengine.answers VALUES (2, 'elements', 200, '2026-11-28T05:45:44.428250Z', 'applied', '["OK","Quarantine lead updated",[]]', '216a47418882431ab3f2ccd4', NULL);
INSERT INTO syncengine.answers VALUES (5, 'elements', 200, '2026-11-28T05:45:44.463148Z', 'applied', '["OK","Queued for processing",[]]', '94a73fbadaf78dada8489cb5', NULL);
INSERT INTO syncengine.answers VALUES (6, 'elements', 200, '2026-11-28T05:45:52.916239Z', 'rejected', '["OK","Lead not updated; Postcode is not valid",[]]', '3d0f4c8e714098fef47fe7d4', NULL);
INSERT INTO syncengine.answers VALUES (7, 'refused', 400, '2026-11-28T05:46:02.226899Z', 'rejected', '["No (400)","No (400)",[]]', 'ebdbefb244ff578d31e5ac6c', NULL);
INSERT INTO syncengine.answers VALUES (8, 'unread', 413, '2026-11-28T05:46:11.552623Z', 'rejected', '["No (413)","No (413)",[]]', '35c0d29f002c0580ac3ea559', NULL);
INSERT INTO syncengine.answers VALUES (9, 'notsent', 429, '2026-11-28T05:46:20.512070Z', 'not_sent', '["No (429)","No (429)",[]]', '9a9c7fcd1b7b8824b8238a82', NULL);
INSERT INTO syncengine.answers VALUES (10, 'notsent', 429, '2026-11-28T05:46:20.861354Z', 'not_sent', '["No (429)","No (429)",[]]', 'b077784c5b248792852e2ac5', NULL);
INSERT INTO syncengine.answers VALUES (11, 'denied', 401, '2026-11-28T05:46:28.860365Z', 'not_sent', '["the service refused the API key (HTTP 401): No (401); check that the key is the account''s, and that it has the permission Leads > Update","the service refused the API key (HTTP 401): No (401); check that the key is the account''s, and that it has the permission Leads > Update",[]]', '10ac892783c95e0ed6384d50', NULL);
INSERT INTO syncengine.answers VALUES (12, 'redirected', 307, '2026-11-28T05:46:37.694743Z', 'unknown', '["HTTP 307: the service redirects to http://127.0.0.1; redirects are never followed, so check base_url of the account","HTTP 307: the service redirects to http://127.0.0.1; redirects are never followed, so check base_url of the account",[]]', '1451d9717701cba2ffa57e45', NULL);
INSERT INTO syncengine.answers VALUES (13, 'lost', 0, '2026-11-28T05:46:45.828421Z', 'unknown', '["127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer","127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer",[]]', '65e383903152f3cfca3a2d9f', NULL);
INSERT INTO syncengine.answers VALUES (14, 'lost', 0, '2026-11-28T05:46:46.250125Z', 'unknown', '["127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer","127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer",[]]', '8a867ef8c733e64d88e8968d', NULL);
INSERT INTO syncengine.answers VALUES (15, 'lost', 0, '2026-11-28T05:46:53.333320Z', 'unknown', '["127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer","127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer",[]]', '1b3dffa16a907baafd7dd32a', NULL);
INSERT INTO syncengine.answers VALUES (16, 'lost', 0, '2026-11-28T05:47:00.824191Z', 'unknown', '["127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer","127.0.0.1: the connection was lost: [Errno 104] Connection reset by peer",[]]', '06de147d39e289500679f9b6', NULL);
INSERT INTO syncengine.answers VALUES (17, 'elements', 200, '2026-11-28T05:47:15.861032Z', 'applied', '["OK","Delivery triggered",[]]', 'e1cf48fafa4a1c685e629fb1', NULL);
INSERT INTO syncengine.answers VALUES (18, 'elements', 200, '2026-11-28T05:47:24.703887Z', 'applied', '["OK","OK",[]]', 'fb53753848ea4026f9f1205e', NULL);
INSERT INTO syncengine.answers VALUES (19, 'elements', 200, '2026-11-28T05:47:24.752259Z', 'applied', '["OK","Delivery triggered",[]]', '2054fca3c38cd84b5b9be785', NULL);
INSERT INTO syncengine.answers VALUES (20, 'elements', 200, '2026-11-28T05:47:33.637181Z', 'applied', '["OK","Delivery triggered",[]]', '75ab3cdc8d3315e2f18eeb11', NULL);
INSERT INTO syncengine.answers VALUES (21, 'baseline', 0, '2026-11-28T05:47:38.539977Z', 'applied', '["","recorded by ann as already done: entered in the interface",[]]', 'a775568163b8798bec706b9a', NULL);
INSERT INTO syncengine.answers VALUES (23, 'elements', 200, '2026-11-28T05:48:20.149120Z', 'applied', '["OK","Delivery triggered",[]]', '9dd50bd520c116c017b5b8ba', NULL);
INSERT INTO syncengine.answers VALUES (24, 'elements', 200, '2026-11-28T05:48:22.184096Z', 'applied', '["OK","Delivery triggered",[]]', '2881d43c98407dbf16a6c0cd', NULL);
INSERT INTO syncengine.answers VALUES (25, 'elements', 200, '2026-11-28T05:48:24.210091Z', 'applied', '["OK","Delivery triggered",[]]', '4924f41fac466710c540f506', NULL);
INSERT INTO syncengine.answers VALUES (26, 'elements', 200, '2026-11-28T05:48:32.541219Z', 'applied', '', '', 'df5402abb882e55a57b245e04b4ccf67');
INSERT INTO syncengine.answers VALUES (27, 'elements', 200, '2026-11-28T05:48:44.880729Z', 'applied', '["OK","Lead updated",[]]', 'c3b459f188e9f9efc4ffdf49', NULL);
INSERT INTO syncengine.attempts VALUES (65536, 'acme', '13', '1dd028d10aa75f60c14d90e16a4f40640b22d267', 'every-kind', 'financials', '', 1, '{"payout":"=80.00","revenue":"=120.00","buyer":"=33"}', '79e66481c84d4393bf9d4a9e', NULL);
INSERT INTO syncengine.attempts VALUES (131072, 'acme', 'quarantined:14', '105fc4f7003fd0e2fe37849d50d39e944e31357e', 'every-kind', 'update', '', 1, '{"c1":"#eecf59afad7fa5b4f7f0b6309780c505"}', '323c4104696b1940bb849eab', NULL);
INSERT INTO syncengine.attempts VALUES (196608, 'acme', 'quarantined:15', '17fc64532e2454a9a4e2f3413bf0b417f7e61c77', 'every-kind', 'reject', '', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (262144, 'acme', '11', '181ad3bce005cae2b2db78c45d7aa7cad5d1e982', 'every-kind', 'update', '', 1, '{"postcode":"#cf666b458bb03c878ac8d219b3d69193","c1":"#8c153451106ff980dece48f6248ede8e"}', '726f017fc4293fc06be121ec', NULL);
INSERT INTO syncengine.attempts VALUES (262145, 'acme', '11', '1fe622912254e6904a4f1b837b61749425e0ab4b', 'every-kind', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (262146, 'acme', '12', '1daf01995644c007efd635995a65acdbc7579541', 'every-kind', 'update', '', 1, '{"firstname":"#d36dfbd0454b70b098ba2a6e28ee3664"}', 'cbfe2bfe2fa480086e4b2790', NULL);
INSERT INTO syncengine.attempts VALUES (262147, 'acme', '12', '1b2e01cbf12ec2e156803873911d570b64c42965', 'every-kind', 'reprocess', '', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (327680, 'acme', 'quarantined:14', '1ba5c4369fc858e5098a94a92709af6e69f36d51', 'every-kind', 'release', '', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (393216, 'acme', '21', '19e6038a2704bee1febad869a255a73cd37f7a83', 'rejected', 'update', '', 1, '{"postcode":"#2d6ae0a0ae5e20b31f757a6fea698e0d"}', 'd6dc115d688815de144f8b24', NULL);
INSERT INTO syncengine.attempts VALUES (393217, 'acme', '22', '104eff5941790f7baf18a3f6b5a1cc04497e79ed', 'rejected', 'update', '', 1, '{"postcode":"#09fe69f4c6784d1c61835524556d0579"}', '950e4abab7237fe332e1950d', NULL);
INSERT INTO syncengine.attempts VALUES (458752, 'acme', '23', '18e00967e703b25a93c31670b7f35c22e9543502', 'refused', 'update', '', 1, '{"c1":"#2e1dfcc2f1ed8d3c56bdd0de2f4a6029"}', 'bd70a4b20f11b4f96f531341', NULL);
INSERT INTO syncengine.attempts VALUES (524288, 'acme', '24', '1c2c7f13f0714efc5417881871e712538c0125d8', 'too-large', 'update', '', 1, '{"c1":"#4273aab7898fff1602b01e721e18b4de"}', '7bd938c53dbde337ab925848', NULL);
INSERT INTO syncengine.attempts VALUES (589824, 'acme', '25', '186472d55e0d0937743191b91c3b747c8158d2b1', 'too-many', 'update', '', 1, '{"c1":"#a5d01b4c13d8f1ce3fea36b597d8992c"}', '40355d883b1074b08db0ee6e', NULL);
INSERT INTO syncengine.attempts VALUES (589825, 'acme', '26', '17b28312ba57dcdc5bd64d8045eed8378c2ef8e7', 'too-many', 'update', '', 1, '{"c1":"#dbaca184b8c1d7b0d28651db48547c3f"}', 'aebc80510af6d4ce9abdb8df', NULL);
INSERT INTO syncengine.attempts VALUES (655360, 'acme', '25', '186472d55e0d0937743191b91c3b747c8158d2b1', 'too-many', 'update', '', 1, '{"c1":"#a5d01b4c13d8f1ce3fea36b597d8992c"}', 'c95b6ddc18c63939330ba404', NULL);
INSERT INTO syncengine.attempts VALUES (655361, 'acme', '26', '17b28312ba57dcdc5bd64d8045eed8378c2ef8e7', 'too-many', 'update', '', 1, '{"c1":"#dbaca184b8c1d7b0d28651db48547c3f"}', '8a3914fde6bfeb9a12442b62', NULL);
INSERT INTO syncengine.attempts VALUES (720896, 'acme', '27', '16b201aab859bf22b2111b136eaea359009ecd97', 'denied', 'update', '', 1, '{"c1":"#012bf382a242114235b3efe95b629fb4"}', '4bdbc143ae13147e4fa79195', NULL);
INSERT INTO syncengine.attempts VALUES (786432, 'acme', '28', '1660d039edb935afd25d7b8cad2bb4a233d6756b', 'redirected', 'update', '', 1, '{"c1":"#e8802022e678795057ce5953a694d9ca"}', 'e3f74bedc550122d7cbde8c1', NULL);
INSERT INTO syncengine.attempts VALUES (851968, 'acme', '31', '1a83bd70f94de3436da30a68da132d8cb7ea4d7f', 'doubt-open', 'update', '', 1, '{"c1":"#f4e3e3188e2a2c1e55bd3376f7aa9775"}', 'a73cca85f39f16b77199d4a6', NULL);
INSERT INTO syncengine.attempts VALUES (851969, 'acme', '31', '13bb2715f735582e557d0bb63f9a4d442411655f', 'doubt-open', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (917504, 'acme', '31', '1a83bd70f94de3436da30a68da132d8cb7ea4d7f', 'doubt-open', 'update', '', 1, '{"c1":"#f4e3e3188e2a2c1e55bd3376f7aa9775"}', '827fd3b4903b7cc90c5ac308', NULL);
INSERT INTO syncengine.attempts VALUES (983040, 'acme', '32', '165ef899cb6589097714d0a432a13126ca1ba03c', 'doubt-applied', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1048576, 'acme', '33', '11c7d7963580cb2d4701503431f18c72ba73ccbf', 'doubt-not-applied', 'trigger', '1054', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1114112, 'acme', '33', '11c7d7963580cb2d4701503431f18c72ba73ccbf', 'doubt-not-applied', 'trigger', '1054', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1179648, 'acme', '13', '1dd028d10aa75f60c14d90e16a4f40640b22d267', 'every-kind', 'financials', '', 1, '{"payout":"=82.50","buyer":"=33"}', '1496b32734a88843e0e2a582', NULL);
INSERT INTO syncengine.attempts VALUES (1245184, 'acme', '11', '1575fb276b0ff8119c9440c48c5f0f2a2e04a4c5', 'every-kind', 'trigger', '1053', 2, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1310720, 'acme', '34', '1b2e37a1254abb9e3f8b590dc36f174bb1128072', 'approved', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1376256, 'acme', '35', '165c5fb13390ef4df3bb03a1aead52f086543eb9', 'by-hand', 'update', '', 1, '{"c1":"#b27c2cb0f44e52b9deec7fe98c32d8e7"}', '8fd8180aa54634faed2f3da3', NULL);
INSERT INTO syncengine.attempts VALUES (1376257, 'acme', '35', '11d4ef663663c21803440eaeca81b4f3b7bd2c0e', 'by-hand', 'financials', '', 1, '{"payout":"=10.00","buyer":"=33"}', '3289c90c277fac332a04276e', NULL);
INSERT INTO syncengine.attempts VALUES (1441792, 'acme', '36', '1b864ff3906ee15a27214827dbac56c915d416b4', 'killed', 'update', '', 1, '{"c1":"#1e227dcbe3e03d6eb605ea8df71665a7"}', '1dca797450a66eda4adca500', NULL);
INSERT INTO syncengine.attempts VALUES (1441793, 'acme', '36', '1b867ba555c3133c4ccec818e2ace4c65d3b636c', 'killed', 'trigger', '1054', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1507328, 'acme', '51', '1d689ba901fa29830b1529ae1e8cfc26c7af1307', 'cancelled', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1572864, 'acme', '52', '12047f97bcbdab7eed066055dc357bed4b4780f5', 'cancelled', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1638400, 'acme', '53', '1c59f300959b542093578c694e2a861f3a0dfdb2', 'cancelled', 'trigger', '1053', 1, '', '', NULL);
INSERT INTO syncengine.attempts VALUES (1703936, 'acme', '41', '12ab40d1fc63b098feb31f245b91ee08f9d680ac', 'forgotten', 'update', '', 1, '{"firstname":"","postcode":""}', '', '21de2fdfe05c5edd0ded761d90365571');
INSERT INTO syncengine.attempts VALUES (1769472, 'acme', '42', '19cf25741f8243c0aaa573a3ccf431cda142594e', 'after-rekey', 'update', '', 1, '{"c1":"#434acaedbce69f5718180e745e3fcc22"}', 'a02b7dbe098bbb0c7eff1aa1', NULL);
INSERT INTO syncengine.chain VALUES (1, '', '', 1, 'event', '9c8434b049293568', 'b3a05135abe765837edef128f2def59cf1e2ccbe616366da32ab73da6ff9dc63');
INSERT INTO syncengine.chain VALUES (2, 'acme', '', 1, 'run', '20261128-054543-d3f35f', 'ac0f21269ce4479b42af65c5323a7a99f875dc48ab54485003d17ea41dab0ba0');
INSERT INTO syncengine.chain VALUES (3, 'acme', '', 2, 'host', 'acme', 'd92fc883c9458589d94d24edd45f78f856fc86c821f6131c5327b94f41937f72');
INSERT INTO syncengine.chain VALUES (4, 'acme', '', 3, 'name', '["acme","every-kind","delivery","northwind"]', '58dabe6d9cc99c1377b04387dd4955420497cece8662610562bc6a16fd773181');
INSERT INTO syncengine.chain VALUES (5, 'acme', '', 4, 'name', '["acme","every-kind","buyer","northwind"]', 'a87b9ae251a572868d70da8923d3d5cb409f20a9bbdfb567283fc07ef60fb5b1');
INSERT INTO syncengine.chain VALUES (6, 'acme', '', 5, 'request', '1', '41af33dfdeef853ea2ead28924d7def4e41151722af0b94bb70e345bfca43248');
INSERT INTO syncengine.chain VALUES (7, 'acme', '', 6, 'request', '2', '413d9fb21226ac5df24ed36314f96742618ff687623ba5fad42a9ab529d0db8d');
INSERT INTO syncengine.chain VALUES (8, 'acme', '', 7, 'answer', '1', '3f1d091368b967f98f153a26b7e202c4bb5ffc6a6611f288b75b211dbe8cb9a3');
INSERT INTO syncengine.chain VALUES (9, 'acme', '', 8, 'request', '3', 'a6d64bdecc413c539f3250ac1a8be3f045313cee1eae333e59fcd65b655d5ef9');
INSERT INTO syncengine.chain VALUES (10, 'acme', '', 9, 'answer', '3', '15232d115c44dc7d65365e41056e3253d6423ed45188464c4eadac5d57a028a5');
INSERT INTO syncengine.chain VALUES (11, 'acme', '', 10, 'request', '4', '9831ada24feb80ea5694301bf1fdf358a23213abcdbf4bf2395d2761b0a47b39');
INSERT INTO syncengine.chain VALUES (12, 'acme', '', 11, 'answer', '4', 'fc57757f57bbcf421e7f4f17e4313a08d0e40a97e9373565d98b01f45562e9ed');
INSERT INTO syncengine.chain VALUES (13, 'acme', '', 12, 'answer', '2', '6f568fa408525c4ad0f91406468f0ded63a0d5cdb748d50674a9cb4acc6a20c1');
INSERT INTO syncengine.chain VALUES (14, 'acme', '', 13, 'request', '5', '4d3278218560aeb6092e2c9309eecc349c5b17b735fcf54831350ea00280b6e8');
INSERT INTO syncengine.chain VALUES (15, 'acme', '', 14, 'answer', '5', 'aabb3d39989f7a1b103fb0604df4956f68e44cebdfbad1c6f66cb4b25cdf4abc');
INSERT INTO syncengine.chain VALUES (16, 'acme', '', 15, 'end', '20261128-054543-d3f35f', 'd80d0631532cca6066a1960d7369ffc32b9e1177e443c1a871aeec124e3f6942');
INSERT INTO syncengine.chain VALUES (17, 'acme', '', 16, 'run', '20261128-054552-d48de2', '8827901205b6a0136441f3b891885e354f474257e9d4c55a7967b64bf08ec8ca');
INSERT INTO syncengine.chain VALUES (18, 'acme', '', 17, 'request', '6', '8cf9836dfd9e763c57d8c8a65260878d03f6016118d0a087ce3ed00fa0033e65');
INSERT INTO syncengine.chain VALUES (19, 'acme', '', 18, 'answer', '6', '3be456f43366b70cdd6eb1a84021539f404da72f86c38c28d14c1c1faae4b925');
INSERT INTO syncengine.chain VALUES (20, 'acme', '', 19, 'end', '20261128-054552-d48de2', 'c04be122e1912efe569f41ccd6fdb60b28c146b538a6cc4364d84188a876349a');
INSERT INTO syncengine.chain VALUES (21, 'acme', '', 20, 'run', '20261128-054602-e4398a', '65abac32066471ae1b656e0197113bbad63f364f57cfbe5eecb175b8fdc4c341');
INSERT INTO syncengine.chain VALUES (22, 'acme', '', 21, 'request', '7', 'fb13bcce4071210dd42e3186d7a2824cf1d6d8795ca564100683e43016d04e54');
INSERT INTO syncengine.chain VALUES (23, 'acme', '', 22, 'answer', '7', '9d2b67769ce3c8a35c99a0e17b9916e0bfa839f7963bc89eca2a7c01a22b2315');
INSERT INTO syncengine.chain VALUES (24, 'acme', '', 23, 'end', '20261128-054602-e4398a', '88e9224a5d4a7a8dfc0d5e3a3fcc2e48216e65373d4a747932cf68cd94d2cd07');
INSERT INTO syncengine.chain VALUES (25, 'acme', '', 24, 'run', '20261128-054611-6742e3', '8c4128c30ec3651413e48ad71112b73483ef3a5c458f44f3b6abb46d4b1429d1');
INSERT INTO syncengine.chain VALUES (26, 'acme', '', 25, 'request', '8', 'ad2d21f866eaa5fd37023312f048f1733ad3d239563c2b97c0f709319773694f');
INSERT INTO syncengine.chain VALUES (27, 'acme', '', 26, 'answer', '8', '280f244fafbe3ab34ca93d6efe7f0b96cd0a4493f7f0eab133f18b710b424fa2');
INSERT INTO syncengine.chain VALUES (28, 'acme', '', 27, 'end', '20261128-054611-6742e3', '02bd735b09940bdb48d700a01e46a0a2ef858b3d503b68eab6918755ffae4d60');
INSERT INTO syncengine.chain VALUES (29, 'acme', '', 28, 'run', '20261128-054620-784137', '1474772eca7719fb001e7d99367569eeef7a6ca1e0c7817ee0fb7f288a1bbcb4');
INSERT INTO syncengine.chain VALUES (30, 'acme', '', 29, 'request', '9', 'd4041a1e8a72123a395b585fd8d2f11a64eba57423f7e3194d5e96625a681fb3');
INSERT INTO syncengine.chain VALUES (31, 'acme', '', 30, 'answer', '9', '53cb50008764cbfba5e0ce400d77813be94e8c58a743cc40c49584c906432ebd');
INSERT INTO syncengine.chain VALUES (32, 'acme', '', 31, 'request', '10', '8a1b07c708de34df670d269adad90f2a1d06f30c4508d97ac944f112fb325b55');
INSERT INTO syncengine.chain VALUES (33, 'acme', '', 32, 'answer', '10', '81c4ccfdc1d13a28f22c746e64cba44dcef66857d91acb7e23f3cd0aa4a15c96');
INSERT INTO syncengine.chain VALUES (34, 'acme', '', 33, 'end', '20261128-054620-784137', '368c319d730a42160b9bac74ef4365f6049fd3012d6268cf2fda0aff93fa550e');
INSERT INTO syncengine.chain VALUES (35, 'acme', '', 34, 'run', '20261128-054628-7c2d38', 'c334e397f7f5afc33e4542f7d103a71de85094d3f8578eb1ee99c93212ea0ed6');
INSERT INTO syncengine.chain VALUES (36, 'acme', '', 35, 'request', '11', 'a3a5604a3f8b75910ce6f55a4f2663aad4cfaaaa5f76ac59e2851d4e5e9b9ec9');
INSERT INTO syncengine.chain VALUES (37, 'acme', '', 36, 'answer', '11', '2488b0c4bfff2efb690177169468f9928c2a9e970e13277152c34c33ac031550');
INSERT INTO syncengine.chain VALUES (38, 'acme', '', 37, 'end', '20261128-054628-7c2d38', 'f43f543dc63d7555c408ec7f987285f43b6b002165a0eb8a194eb8684e8babc1');
INSERT INTO syncengine.chain VALUES (39, 'acme', '', 38, 'run', '20261128-054637-def23c', '77ce651c96965943ea63f32143a4a8a581026f903f251225e7b7caa604bd6f7d');
INSERT INTO syncengine.chain VALUES (40, 'acme', '', 39, 'request', '12', '8b7ec8e33f4f9879bdb1e9a9216ede1b3cbcc7e5921c4345eb3a90fbd1b906a6');
INSERT INTO syncengine.chain VALUES (41, 'acme', '', 40, 'answer', '12', '7167a097292277b37915bb24d985812626313c58224c24615617734e39a6e93f');
INSERT INTO syncengine.chain VALUES (42, 'acme', '', 41, 'end', '20261128-054637-def23c', '77a087cd263eb234ea69adf5214f5c59f77679f30fdbd81299ba23ac9d965a88');
INSERT INTO syncengine.chain VALUES (43, 'acme', '', 42, 'run', '20261128-054645-b09be6', '761c87ffa2aa65067f131fc5f2ac6a10e22013ca5b98ab44655d78ac26bfee45');
INSERT INTO syncengine.chain VALUES (44, 'acme', '', 43, 'name', '["acme","doubt-open","delivery","northwind"]', 'dee38f945dfd740500a0c27c9e45b7127a18fd81af7a905325a8d82458bc689f');
INSERT INTO syncengine.chain VALUES (45, 'acme', '', 44, 'request', '13', '7c4d80f6c7717adaf2dc823922c1dedb5d2f36a723e69814cbc65d2924bcf110');
INSERT INTO syncengine.chain VALUES (46, 'acme', '', 45, 'answer', '13', '8bcacef3ce355a3a35ff0bb002b6a1ff989f7c05052efc65ee3a0efc59fe2ea7');
INSERT INTO syncengine.chain VALUES (47, 'acme', '', 46, 'request', '14', 'b6583e709a88561d6e77367c091d59f63a3de20fc1d2bd1498f7bc1e5013b01f');
INSERT INTO syncengine.chain VALUES (48, 'acme', '', 47, 'answer', '14', '73635b737872dd4df4759480da670299b9f12e978acf4c15caa62484269eb391');
INSERT INTO syncengine.chain VALUES (49, 'acme', '', 48, 'end', '20261128-054645-b09be6', '689036d90e8bccfd1f62cc2ccdfa378604e9973a837deca64904429c7be8ce64');
INSERT INTO syncengine.chain VALUES (50, 'acme', '', 49, 'run', '20261128-054653-8d5afc', 'a92301b8cd9244e4339c4d71ba0bc3a604934785a1c79fdd21dc988d6f888b42');
INSERT INTO syncengine.chain VALUES (51, 'acme', '', 50, 'name', '["acme","doubt-applied","delivery","northwind"]', '20a06f7e3312653a2425ca3c7e08a571a306d93a318376e886af64a686461fc7');
INSERT INTO syncengine.chain VALUES (52, 'acme', '', 51, 'request', '15', 'a2fb77ffd0f03b68989feef8b4347846ca9033491cbcb811c6b352a64b36ce44');
INSERT INTO syncengine.chain VALUES (53, 'acme', '', 52, 'answer', '15', '979eecce8741be91aba074562f0746b2299987962ae9547443e4ced1f2905be8');
INSERT INTO syncengine.chain VALUES (54, 'acme', '', 53, 'end', '20261128-054653-8d5afc', '4ce74f472e3bca41da3ec481c88af21c8f33969ae2924cdc3043ac1e3954c2a0');
INSERT INTO syncengine.chain VALUES (55, 'acme', '', 54, 'run', '20261128-054700-7d61c6', 'a82d613a2d967a3a731dc7caa288df10c373d099ac3a09f75bf87b088bfa438a');
INSERT INTO syncengine.chain VALUES (56, 'acme', '', 55, 'name', '["acme","doubt-not-applied","delivery","contoso"]', '684fa72997255a08da0e9e34a2638ddda2f1b88449877fa5164e9a9032cec60e');
INSERT INTO syncengine.chain VALUES (57, 'acme', '', 56, 'request', '16', '557faa107ca7e7e1e7f918a1753e703962266510fd673f436a8ff86d36924a78');
INSERT INTO syncengine.chain VALUES (58, 'acme', '', 57, 'answer', '16', '7863666ad7cf1e5bf38284849922f70866a377b3309590ebdddf9fcbe169a2fb');
INSERT INTO syncengine.chain VALUES (59, 'acme', '', 58, 'end', '20261128-054700-7d61c6', '17c0aae624059e3dc6a73b32e1c9493cc71d0bab7f6029d4c3cdfc188c3052e3');
INSERT INTO syncengine.chain VALUES (60, 'acme', '', 59, 'resolution', '983040', '6f4a5fefabd4b0aba23d55377cf2fe1b21801a2e50193092ad63ae75426f572b');
INSERT INTO syncengine.chain VALUES (61, 'acme', '', 60, 'resolution', '1048576', '7c161ce62b328f2d2945097e4d9018361487d6255b094cec00aec959f7d551c7');
INSERT INTO syncengine.chain VALUES (62, 'acme', '', 61, 'run', '20261128-054715-5d7c9d', '04480e42e6695bfc8262ac9d3ec9681674e142caed16130303261e11f106a764');
INSERT INTO syncengine.chain VALUES (63, 'acme', '', 62, 'request', '17', 'd7ffca6a37a5482ddcc189c9d1177b6037fa4ff5037a039f4f444525f9e89bda');
INSERT INTO syncengine.chain VALUES (64, 'acme', '', 63, 'answer', '17', '072beeb4d4ef52266c0e6394d877d478978a05f37c0df8856ab47eb14747bd64');
INSERT INTO syncengine.chain VALUES (65, 'acme', '', 64, 'end', '20261128-054715-5d7c9d', '9a5718e744e7a8a81a4b1d2260ec7aa1923cfa10bd58963fac9a453c69ae9543');
INSERT INTO syncengine.chain VALUES (66, 'acme', '', 65, 'run', '20261128-054724-5cb1a5', 'c599139ae64ef7df9fb28b6a7935103e7220983fdf02aaea2b4b8d1e0956a19c');
INSERT INTO syncengine.chain VALUES (67, 'acme', '', 66, 'request', '18', '12d404c72846d8ced3e8fd72d9c02a02f6be1e6b4dab7caaf9f191315630f74b');
INSERT INTO syncengine.chain VALUES (68, 'acme', '', 67, 'answer', '18', '9faebd31e196c098b0604e477198116ef76413d908a0b406c511b1cc26410cf9');
INSERT INTO syncengine.chain VALUES (69, 'acme', '', 68, 'request', '19', '8c2b81518cefe49dbf0de0375d2f97aff1a8d5cf1adca8ffb1baa659b7878385');
INSERT INTO syncengine.chain VALUES (70, 'acme', '', 69, 'answer', '19', '8c5b9f8cf6ef03243c4f08d84f74286ddb6b669baf85c7658e40a91fdc4b0877');
INSERT INTO syncengine.chain VALUES (71, 'acme', '', 70, 'end', '20261128-054724-5cb1a5', '67d96b62f70d94b793b942df4be50d89726b47ebd4f110fea6936fcadf4cf943');
INSERT INTO syncengine.chain VALUES (72, 'acme', '', 71, 'run', '20261128-054733-3438b3', 'd307c29a5134502cce5493bce432eaf152b46a9763f623023a009ac1d768440b');
INSERT INTO syncengine.chain VALUES (73, 'acme', '', 72, 'name', '["acme","approved","delivery","northwind"]', '2adc799736bf74fd9861cd411104c8c9c9c497c730ad2608ef58ffe96fb9ef77');
INSERT INTO syncengine.chain VALUES (74, 'acme', '', 73, 'request', '20', '0596674b520d15a1b2922c0c8324073c83e32681d88c7665181bb82b3bd5a17a');
INSERT INTO syncengine.chain VALUES (75, 'acme', '', 74, 'answer', '20', 'e1f409ae6aa5493d991fd8ae2cbe84de3bd64bf1abae0745bb8871479f887b44');
INSERT INTO syncengine.chain VALUES (76, 'acme', '', 75, 'end', '20261128-054733-3438b3', 'a4d6bd0237fa3ae6eab327910a79b220facba1fa8e01f720dc2b05c49079d5b9');
INSERT INTO syncengine.chain VALUES (77, 'acme', '', 76, 'run', '20261128-054738-4a3b90', '9d3e30a82b97faa32d60b2511cb3ab13704ea54f0e641540e94a65ffa33bc54b');
INSERT INTO syncengine.chain VALUES (78, 'acme', '', 77, 'name', '["acme","by-hand","buyer","northwind"]', '9d9fc754f8a59dc3c29eec1249a6e6bd4dc76acf3d926fd738f8c22d12324c44');
INSERT INTO syncengine.chain VALUES (79, 'acme', '', 78, 'request', '21', '331bd72f282239e7f25150fcf1c46b56c6ec14a20a9644c6ff4a54943faa04ce');
INSERT INTO syncengine.chain VALUES (80, 'acme', '', 79, 'answer', '21', '020e6656aa0a74836928832d76b6bb62e0e46ece6a8bce1f7f1df580a9184218');
INSERT INTO syncengine.chain VALUES (81, 'acme', '', 80, 'end', '20261128-054738-4a3b90', 'a2e3c6b0e109a39120e911b37c43452099b40d2ecb70f89bf5015cdec1fed26e');
INSERT INTO syncengine.chain VALUES (82, 'acme', '', 81, 'run', '20261128-054746-f8c9ff', '5a07bc1a998a16b0cd09207deffaeb2cf364cfc628641bcce0efdc546bcbbb4a');
INSERT INTO syncengine.chain VALUES (83, 'acme', '', 82, 'name', '["acme","killed","delivery","contoso"]', 'fd964be5502dd65ce52bef30ddaa4bf20a64c981cc0d66ca66e0ead82d440092');
INSERT INTO syncengine.chain VALUES (84, 'acme', '', 83, 'request', '22', '62585a0dd684e8a1e69551079a687dbbf3e1f82f2f38627baaf1d5275252b3b8');
INSERT INTO syncengine.chain VALUES (85, 'acme', '', 84, 'run', '20261128-054818-63a31c', '1e5594b1ee0401fd3b1620ff7f2a61387526cf245f723f7bd79d0c9a53c090db');
INSERT INTO syncengine.chain VALUES (86, 'acme', '', 85, 'name', '["acme","cancelled","delivery","northwind"]', '404c171f50b5618b23c10afedae75f0825bb7544ec1a1f5d4850df267d309f6f');
INSERT INTO syncengine.chain VALUES (87, 'acme', '', 86, 'request', '23', '75271f559fc72d8cc006c6ba8594e8aa416f71e3eb752442c450ae1eea0fadb9');
INSERT INTO syncengine.chain VALUES (88, 'acme', '', 87, 'answer', '23', '307d1b03f430dee5d431b3966e698622e5827d9912e76dd93264eabec43bdf88');
INSERT INTO syncengine.chain VALUES (89, 'acme', '', 88, 'request', '24', '5a4bd216cb0dce0ea65d3929fdd293d799d5c1d57911e2e79063210854b82f78');
INSERT INTO syncengine.chain VALUES (90, 'acme', '', 89, 'answer', '24', '4f2d5dcdf55f900fd1d5d9e34e5eb5277e99fd2f3b942b73d1bcbe214e218a83');
INSERT INTO syncengine.chain VALUES (91, 'acme', '', 90, 'request', '25', '520e19919c4cff2947a1b9992e9f4ffec83f7cae5b76e66ad225eae8aa806d17');
INSERT INTO syncengine.chain VALUES (92, 'acme', '', 91, 'cancel', '20261128-054818-63a31c', '706dfda42f996210693b14fc73e0de7bcbaecec1eb0e87fbdb7c1711c0fa09d7');
INSERT INTO syncengine.chain VALUES (93, 'acme', '', 92, 'answer', '25', '0d5b3dec043cacb33501edbfded3ede20cb6c1458a0b06327a788e1dd55cf840');
INSERT INTO syncengine.chain VALUES (94, 'acme', '', 93, 'end', '20261128-054818-63a31c', '25420076f83255ea9c1b9682a93ac7c30c49e3d4abec5a07c34779eadbd02748');
INSERT INTO syncengine.chain VALUES (95, 'acme', '', 94, 'run', '20261128-054832-22ec3b', '0d7c810d5849464d7333ffffff26c223a8424d713bd327e9115380b8f8b54e12');
INSERT INTO syncengine.chain VALUES (96, 'acme', '', 95, 'request', '26', 'c38e298d3e1bdf5cff98de884d0cb14ad1546caeece65892679c9f52cb5f9a23');
INSERT INTO syncengine.chain VALUES (97, 'acme', '', 96, 'answer', '26', '3aa301eb8e02a29bfbbe5d516a9bc1d25f57e979533e5753383fadbb4dfe1941');
INSERT INTO syncengine.chain VALUES (98, 'acme', '', 97, 'end', '20261128-054832-22ec3b', '785932cac4d0a2c72c545d4a7361695da4200cacd08af319b901c9913a5b48a7');
INSERT INTO syncengine.chain VALUES (99, 'acme', '', 98, 'erasure', '41', '54324954d6b8c7e00e4de466f80925aee23264790bc38638519effd2c2fd84d3');
INSERT INTO syncengine.chain VALUES (100, 'acme', '', 99, 'event', 'fc85d27ecef3dd3e', '94bb59e95aad9a6ffdb6939866edc1e9ca760b316de575334cb2647a017ce460');
INSERT INTO syncengine.chain VALUES (101, '', '', 2, 'event', '9feff59250d74eb5', '729fc1efd92f50b06704845fce5eb4ada100397ee51e376348e7d598470f8ca8');
INSERT INTO syncengine.chain VALUES (102, 'acme', '', 100, 'run', '20261128-054844-2157f1', 'a639fc9dc980e88b123d16e25abdd980362be7733e733998c206c1c2bdfdac85');
INSERT INTO syncengine.chain VALUES (103, 'acme', '', 101, 'request', '27', '9d73fa84279dd9068b8bc9866c6fd2e54ecd09ecd70a7dd2a63cef8e16f64796');
INSERT INTO syncengine.chain VALUES (104, 'acme', '', 102, 'answer', '27', '835857b8a6caf74277b10d3240162c9d19572e6c379c579701900230472cf68c');
INSERT INTO syncengine.chain VALUES (105, 'acme', '', 103, 'end', '20261128-054844-2157f1', '8c6d72ce8e5ad69e6c7362b728bd029677674a1eca25b4f48e40669f86129f99');
INSERT INTO syncengine.changesets VALUES ('acme', 'every-kind');
INSERT INTO syncengine.changesets VALUES ('acme', 'rejected');
INSERT INTO syncengine.changesets VALUES ('acme', 'refused');
INSERT INTO syncengine.changesets VALUES ('acme', 'too-large');
INSERT INTO syncengine.changesets VALUES ('acme', 'too-many');
INSERT INTO syncengine.changesets VALUES ('acme', 'denied');
INSERT INTO syncengine.changesets VALUES ('acme', 'redirected');
INSERT INTO syncengine.changesets VALUES ('acme', 'doubt-open');
INSERT INTO syncengine.changesets VALUES ('acme', 'doubt-applied');
INSERT INTO syncengine.changesets VALUES ('acme', 'doubt-not-applied');
INSERT INTO syncengine.changesets VALUES ('acme', 'approved');
INSERT INTO syncengine.changesets VALUES ('acme', 'by-hand');
INSERT INTO syncengine.changesets VALUES ('acme', 'killed');
INSERT INTO syncengine.changesets VALUES ('acme', 'cancelled');
INSERT INTO syncengine.changesets VALUES ('acme', 'forgotten');
INSERT INTO syncengine.changesets VALUES ('acme', 'after-rekey');
INSERT INTO syncengine.doubts VALUES (786432, 'acme', '1660d039edb935afd25d7b8cad2bb4a233d6756b');
INSERT INTO syncengine.doubts VALUES (851968, 'acme', '1a83bd70f94de3436da30a68da132d8cb7ea4d7f');
INSERT INTO syncengine.doubts VALUES (851969, 'acme', '13bb2715f735582e557d0bb63f9a4d442411655f');
INSERT INTO syncengine.doubts VALUES (917504, 'acme', '1a83bd70f94de3436da30a68da132d8cb7ea4d7f');
INSERT INTO syncengine.doubts VALUES (1441792, 'acme', '1b864ff3906ee15a27214827dbac56c915d416b4');
INSERT INTO syncengine.doubts VALUES (1441793, 'acme', '1b867ba555c3133c4ccec818e2ace4c65d3b636c');
INSERT INTO syncengine.erasures VALUES ('acme', '41', 'ann', '2026-11-28T05:48:35.645329Z');
INSERT INTO syncengine.events VALUES ('9c8434b049293568', '', 'created', 'root', '', 'L5e06fd31cd7eed43a442', '2026-11-28T05:45:41.336538Z');
INSERT INTO syncengine.events VALUES ('fc85d27ecef3dd3e', 'acme', 'forgotten', 'ann', 'asked for on the phone', '41', '2026-11-28T05:48:35.672417Z');
INSERT INTO syncengine.events VALUES ('9feff59250d74eb5', '', 'rekeyed', 'ann', 'the old key is lost', '1769471 d089c6a7ba10d90fe9ada496532864e3', '2026-11-28T05:48:38.450517Z');
INSERT INTO syncengine.lanes VALUES ('', '', 0, '', '', 0, '', 0, '', 2, '729fc1efd92f50b06704845fce5eb4ada100397ee51e376348e7d598470f8ca8');
INSERT INTO syncengine.lanes VALUES ('acme', '', 21, '', 'build-7', 26283, '2026-11-28T05:48:43.507923Z', 0, '577c4d85bd90fdaf', 103, '8c6d72ce8e5ad69e6c7362b728bd029677674a1eca25b4f48e40669f86129f99');
INSERT INTO syncengine.meta VALUES ('id', 'L5e06fd31cd7eed43a442');
INSERT INTO syncengine.meta VALUES ('schema', '1');
INSERT INTO syncengine.meta VALUES ('created', '2026-11-28T05:45:41.336538Z');
INSERT INTO syncengine.meta VALUES ('key_check', 'd089c6a7ba10d90fe9ada496532864e3');
INSERT INTO syncengine.meta VALUES ('rekeyed', '1769471');
INSERT INTO syncengine.meta VALUES ('position', '105');
INSERT INTO syncengine.names VALUES ('acme', 'every-kind', 'delivery', 'northwind', '1053', '20261128-054543-d3f35f');
INSERT INTO syncengine.names VALUES ('acme', 'every-kind', 'buyer', 'northwind', '33', '20261128-054543-d3f35f');
INSERT INTO syncengine.names VALUES ('acme', 'doubt-open', 'delivery', 'northwind', '1053', '20261128-054645-b09be6');
INSERT INTO syncengine.names VALUES ('acme', 'doubt-applied', 'delivery', 'northwind', '1053', '20261128-054653-8d5afc');
INSERT INTO syncengine.names VALUES ('acme', 'doubt-not-applied', 'delivery', 'contoso', '1054', '20261128-054700-7d61c6');
INSERT INTO syncengine.names VALUES ('acme', 'approved', 'delivery', 'northwind', '1053', '20261128-054733-3438b3');
INSERT INTO syncengine.names VALUES ('acme', 'by-hand', 'buyer', 'northwind', '33', '20261128-054738-4a3b90');
INSERT INTO syncengine.names VALUES ('acme', 'killed', 'delivery', 'contoso', '1054', '20261128-054746-f8c9ff');
INSERT INTO syncengine.names VALUES ('acme', 'cancelled', 'delivery', 'northwind', '1053', '20261128-054818-63a31c');
INSERT INTO syncengine.requests VALUES (1, '20261128-054543-d3f35f', 1, '2026-11-28T05:45:43.888593Z');
INSERT INTO syncengine.requests VALUES (2, '20261128-054543-d3f35f', 1, '2026-11-28T05:45:43.888593Z');
INSERT INTO syncengine.requests VALUES (3, '20261128-054543-d3f35f', 1, '2026-11-28T05:45:44.055229Z');
INSERT INTO syncengine.requests VALUES (4, '20261128-054543-d3f35f', 1, '2026-11-28T05:45:44.317349Z');
INSERT INTO syncengine.requests VALUES (5, '20261128-054543-d3f35f', 1, '2026-11-28T05:45:44.451938Z');
INSERT INTO syncengine.requests VALUES (6, '20261128-054552-d48de2', 2, '2026-11-28T05:45:52.889205Z');
INSERT INTO syncengine.requests VALUES (7, '20261128-054602-e4398a', 3, '2026-11-28T05:46:02.191016Z');
INSERT INTO syncengine.requests VALUES (8, '20261128-054611-6742e3', 4, '2026-11-28T05:46:11.545119Z');
INSERT INTO syncengine.requests VALUES (9, '20261128-054620-784137', 5, '2026-11-28T05:46:20.469845Z');
INSERT INTO syncengine.requests VALUES (10, '20261128-054620-784137', 5, '2026-11-28T05:46:20.839143Z');
INSERT INTO syncengine.requests VALUES (11, '20261128-054628-7c2d38', 6, '2026-11-28T05:46:28.836763Z');
INSERT INTO syncengine.requests VALUES (12, '20261128-054637-def23c', 7, '2026-11-28T05:46:37.676632Z');
INSERT INTO syncengine.requests VALUES (13, '20261128-054645-b09be6', 8, '2026-11-28T05:46:45.823631Z');
INSERT INTO syncengine.requests VALUES (14, '20261128-054645-b09be6', 8, '2026-11-28T05:46:46.240339Z');
INSERT INTO syncengine.requests VALUES (15, '20261128-054653-8d5afc', 9, '2026-11-28T05:46:53.320252Z');
INSERT INTO syncengine.requests VALUES (16, '20261128-054700-7d61c6', 10, '2026-11-28T05:47:00.795915Z');
INSERT INTO syncengine.requests VALUES (17, '20261128-054715-5d7c9d', 13, '2026-11-28T05:47:15.829031Z');
INSERT INTO syncengine.requests VALUES (18, '20261128-054724-5cb1a5', 14, '2026-11-28T05:47:24.687943Z');
INSERT INTO syncengine.requests VALUES (19, '20261128-054724-5cb1a5', 14, '2026-11-28T05:47:24.741003Z');
INSERT INTO syncengine.requests VALUES (20, '20261128-054733-3438b3', 15, '2026-11-28T05:47:33.618321Z');
INSERT INTO syncengine.requests VALUES (21, '20261128-054738-4a3b90', 16, '2026-11-28T05:47:38.537322Z');
INSERT INTO syncengine.requests VALUES (22, '20261128-054746-f8c9ff', 17, '2026-11-28T05:47:46.338605Z');
INSERT INTO syncengine.requests VALUES (23, '20261128-054818-63a31c', 18, '2026-11-28T05:48:18.126689Z');
INSERT INTO syncengine.requests VALUES (24, '20261128-054818-63a31c', 18, '2026-11-28T05:48:20.172326Z');
INSERT INTO syncengine.requests VALUES (25, '20261128-054818-63a31c', 18, '2026-11-28T05:48:22.186303Z');
INSERT INTO syncengine.requests VALUES (26, '20261128-054832-22ec3b', 19, '2026-11-28T05:48:32.532526Z');
INSERT INTO syncengine.requests VALUES (27, '20261128-054844-2157f1', 21, '2026-11-28T05:48:44.869364Z');
INSERT INTO syncengine.resolutions VALUES (983040, 1, 'ann', '2026-11-28T05:47:06.234824Z', 'seen at the buyer', 'c23715132767fa052311a601', NULL);
INSERT INTO syncengine.resolutions VALUES (1048576, 0, 'ann', '2026-11-28T05:47:11.477243Z', 'the buyer has nothing', '34a7b6be9a3239237e846c01', NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054543-d3f35f', 2, 'acme', '', 1, '863350d9f7a7d7dfa51a9e34a0badbd76f6b58208d01427f85b21ef40ae64239', 'plans/every-kind.plan', '["every-kind"]', 8, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 20994, '2026-11-28T05:45:43.784719Z', '2026-11-28T05:45:44.480708Z', 0, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054552-d48de2', 17, 'acme', '', 2, 'c0344f0b21ca59f276770b3010a99224bfb8df87f5844f87316a2ba9603d10aa', 'plans/rejected.plan', '["rejected"]', 2, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 21154, '2026-11-28T05:45:52.857101Z', '2026-11-28T05:45:52.940506Z', 4, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054602-e4398a', 21, 'acme', '', 3, '78c6f8cf79132a4242871214946cc00707c1fa6182b2d37cbee4cd2a29e5b8d9', 'plans/refused.plan', '["refused"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 21274, '2026-11-28T05:46:02.111113Z', '2026-11-28T05:46:02.256550Z', 4, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054611-6742e3', 25, 'acme', '', 4, 'e86c1f85ec5c01945798c632b98e56d56fd8a6fac18cf5fc57e5af65fe82c03f', 'plans/too-large.plan', '["too-large"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 21422, '2026-11-28T05:46:11.502766Z', '2026-11-28T05:46:11.572408Z', 4, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054620-784137', 29, 'acme', '', 5, '493a37db2b47938b5ad744a40cc6800bcb85bd3f2513dd51c5e346c284b23a21', 'plans/too-many.plan', '["too-many"]', 2, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 21600, '2026-11-28T05:46:20.447994Z', '2026-11-28T05:46:20.885329Z', 4, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054628-7c2d38', 35, 'acme', '', 6, '304ff8f038d43756738511d08ee569651ac7f2f229e626e406034b33909d82eb', 'plans/denied.plan', '["denied"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 21798, '2026-11-28T05:46:28.820670Z', '2026-11-28T05:46:28.870691Z', 4, 'the service refused the API key (HTTP 401): No (401); check that the key is the account''s, and that it has the permission Leads > Update', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054637-def23c', 39, 'acme', '', 7, 'b06094bc888d86436de9f400ec42f44d54762dcf2c0d794ef0d425908f608458', 'plans/redirected.plan', '["redirected"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 21933, '2026-11-28T05:46:37.644636Z', '2026-11-28T05:46:37.701332Z', 5, 'HTTP 307: the service redirects to http://127.0.0.1; redirects are never followed, so check base_url of the account', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054645-b09be6', 43, 'acme', '', 8, '858f5e64335e68bd13ab4db546c5e2d2625ce70110442be605c1343cf8bb32cc', 'plans/doubt-open.plan', '["doubt-open"]', 2, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 22016, '2026-11-28T05:46:45.727900Z', '2026-11-28T05:46:46.272551Z', 5, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054653-8d5afc', 50, 'acme', '', 9, '82b54f4eb75c53c64dca8739f0ed59d28deabea9729e354de402f52d2cea7d2a', 'plans/doubt-applied.plan', '["doubt-applied"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 22060, '2026-11-28T05:46:53.293124Z', '2026-11-28T05:46:53.342873Z', 5, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054700-7d61c6', 55, 'acme', '', 10, '8633fce52ce73c1eb9cc2888e593d772da8be92fe1f8b2fb2d921cfa3bf3a095', 'plans/doubt-not-applied.plan', '["doubt-not-applied"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 22095, '2026-11-28T05:47:00.766861Z', '2026-11-28T05:47:00.839092Z', 5, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054715-5d7c9d', 62, 'acme', '', 13, '8633fce52ce73c1eb9cc2888e593d772da8be92fe1f8b2fb2d921cfa3bf3a095', 'plans/doubt-not-applied.plan', '["doubt-not-applied"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 22780, '2026-11-28T05:47:15.786249Z', '2026-11-28T05:47:15.872755Z', 0, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054724-5cb1a5', 66, 'acme', '', 14, '07baa94da5d3749a73c64f78e569a76c3111eaf403c99ea68d73dc9bc9ead492', 'plans/every-kind-2.plan', '["every-kind"]', 2, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 23344, '2026-11-28T05:47:24.579962Z', '2026-11-28T05:47:24.764773Z', 0, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054733-3438b3', 72, 'acme', '', 15, '41db917f109d333c4e2311d81025be613978181e8caa8d10156cda8ca4d37199', 'plans/approved.plan', '["approved"]', 1, 'loopback', '97b7ea2f149dc8979c786a12182b3585fef7b2bd69a09a846395c14b93fea0d3', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '["anna@example.com SHA256:uVAxQzNs//yJRAOSPB/66wGwAtO85yBA3W50QdOFZM4"]', 'build-7', 23483, '2026-11-28T05:47:33.580919Z', '2026-11-28T05:47:33.712596Z', 0, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054738-4a3b90', 77, 'acme', '', 16, '6f8752e2d3945c58d1792e8407f43d826516e05aeab49cce73c8bade5c605ac7', 'plans/by-hand.plan', '["by-hand"]', 2, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 23557, '2026-11-28T05:47:38.532495Z', '2026-11-28T05:47:38.541544Z', 0, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054746-f8c9ff', 82, 'acme', '', 17, '21d86b77b2f388616ac9c7322ee1f546dcb55175f38f545793000b5db140b988', 'plans/killed.plan', '["killed"]', 2, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 23689, '2026-11-28T05:47:46.312430Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054818-63a31c', 85, 'acme', '', 18, '4c4b247e46bdf09717f703da8c785bfa7dd3650f0bdd92b5d4b0e73a7e37916c', 'plans/cancelled.plan', '["cancelled"]', 3, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 23916, '2026-11-28T05:48:18.103112Z', '2026-11-28T05:48:24.241404Z', 0, 'cancelled with ''syncengine cancel''', 'root', '2026-11-28T05:48:22.735734Z');
INSERT INTO syncengine.runs VALUES ('20261128-054832-22ec3b', 95, 'acme', '', 19, '0304788fc78b7dd58ddaca82bfde80e388a848fccbf349538a49a1bda237a371', 'plans/forgotten.plan', '["forgotten"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 25863, '2026-11-28T05:48:32.505314Z', '2026-11-28T05:48:32.552875Z', 0, '', NULL, NULL);
INSERT INTO syncengine.runs VALUES ('20261128-054844-2157f1', 102, 'acme', '', 21, '9bed3116efc8af9fcf8e92d657a8bda8c2a35e0adb26d2a42cc069cc75399093', 'plans/after-rekey.plan', '["after-rekey"]', 1, 'loopback', '393f381d949ef3ae258472b9c0b0a8871978001052518655320f8682cf1dd230', 'e3395b23048dccee22fb2046ab83fd48632d0d5aee2b1806da41c27124d1f4c1', 'syncengine 0.1.0', '[]', 'build-7', 26283, '2026-11-28T05:48:44.857300Z', '2026-11-28T05:48:44.896233Z', 0, '', NULL, NULL);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054543-d3f35f', 8, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054552-d48de2', 0, 2, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054602-e4398a', 0, 1, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054611-6742e3', 0, 1, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054620-784137', 0, 0, 2);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054628-7c2d38', 0, 0, 1);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054637-def23c', 0, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054645-b09be6', 0, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054653-8d5afc', 1, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054700-7d61c6', 0, 0, 1);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054715-5d7c9d', 1, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054724-5cb1a5', 2, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054733-3438b3', 1, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054738-4a3b90', 2, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054746-f8c9ff', 0, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054818-63a31c', 3, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054832-22ec3b', 1, 0, 0);
INSERT INTO syncengine.tallies VALUES ('acme', '', 19, 4, 3);
INSERT INTO syncengine.tallies VALUES ('acme', '20261128-054844-2157f1', 1, 0, 0);
SELECT pg_catalog.setval('syncengine.request_numbers', 27, true);
ALTER TABLE ONLY syncengine.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (account);
ALTER TABLE ONLY syncengine.answers
    ADD CONSTRAINT answers_pkey PRIMARY KEY (request);
ALTER TABLE ONLY syncengine.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (number);
ALTER TABLE ONLY syncengine.chain
    ADD CONSTRAINT chain_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY syncengine.changesets
    ADD CONSTRAINT changesets_pkey PRIMARY KEY (account, changeset);
ALTER TABLE ONLY syncengine.doubts
    ADD CONSTRAINT doubts_pkey PRIMARY KEY (number);
ALTER TABLE ONLY syncengine.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (account, lead);
ALTER TABLE ONLY syncengine.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY syncengine.lanes
    ADD CONSTRAINT lanes_pkey PRIMARY KEY (account, lane);
ALTER TABLE ONLY syncengine.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (name);
ALTER TABLE ONLY syncengine.names
    ADD CONSTRAINT names_pkey PRIMARY KEY (account, changeset, kind, name);
ALTER TABLE ONLY syncengine.outcomes
    ADD CONSTRAINT outcomes_pkey PRIMARY KEY (number);
ALTER TABLE ONLY syncengine.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (request);
ALTER TABLE ONLY syncengine.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY syncengine.resolutions
    ADD CONSTRAINT resolutions_pkey PRIMARY KEY (number);
ALTER TABLE ONLY syncengine.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY syncengine.tallies
    ADD CONSTRAINT tallies_pkey PRIMARY KEY (account, run);
CREATE INDEX attempts_by_lead ON syncengine.attempts USING btree (account, lead);
CREATE INDEX requests_by_run ON syncengine.requests USING btree (run);
CREATE INDEX runs_by_account ON syncengine.runs USING btree (account, "position");
CREATE INDEX runs_by_plan ON syncengine.runs USING btree (plan);
