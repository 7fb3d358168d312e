"""The header names that WooCommerce's exporter writes in other languages than English.

From its language packs; where versions of one differ, all of them. A name is told by its letters and
digits, without accents, case and signs, so that a no-break space or another apostrophe is the same.
"""

import re
import unicodedata
from collections.abc import Sequence

import msgspec

_NOT_WORD = re.compile(r"[\W_]+")
_UNIT = re.compile(r"(.+) (kg|g|lbs|oz|cm|mm|m|in|yd)")
_DIGITS = re.compile(r"[0-9]{1,4}")
_META = re.compile(r"(?:meta|metadado|metadados|metadatos|metadati|metagegevens) (.+)")
_TELLING = 3

_NAMES: dict[str, dict[str, str]] = {
    "German": {
        "type": "Typ", "sku": "Artikelnummer", "name": "Name", "published": "Veröffentlicht",
        "gtin upc ean or isbn": "GTIN, UPC, EAN oder ISBN",
        "is featured": "Ist hervorgehoben?|Ist empfohlen?|Empfohlen?|Hervorgehoben?",
        "visibility in catalog": "Sichtbarkeit im Katalog",
        "short description": "Kurzbeschreibung", "description": "Beschreibung",
        "date sale price starts": "Datum, an dem Angebotspreis beginnt|Angebotspreis beginnt am",
        "date sale price ends": "Datum, an dem Angebotspreis endet|Angebotspreis endet am",
        "tax status": "Steuerstatus", "tax class": "Steuerklasse",
        "in stock": "Vorrätig?|Auf Lager?", "stock": "Lager|Bestand|Lagerbestand",
        "low stock amount": "Geringe Lagermenge|Geringer Lagerbestand",
        "backorders allowed": "Rückstände erlaubt?|Lieferrückstände erlaubt?|Lieferrückstande erlaubt?",
        "sold individually": "Nur einzeln verkaufen?|Einzeln verkaufen?",
        "weight": "Gewicht", "length": "Länge", "width": "Breite", "height": "Höhe",
        "allow customer reviews":
            "Kundenrezensionen erlauben?|Kundenbewertungen erlauben?|Kundenbewertungen zulassen?",
        "purchase note": "Hinweis zum Kauf", "sale price": "Angebotspreis",
        "regular price": "Regulärer Preis|Normalpreis|Normaler Preis", "categories": "Kategorien",
        "tags": "Schlagwörter|Stichwörter", "shipping class": "Versandklasse", "images": "Bilder",
        "download limit": "Downloadlimit|Download-Limit",
        "download expiry days": "Ablauftage des Downloads",
        "parent": "Übergeordnetes Produkt|Übergeordnet|Elternprodukt",
        "grouped products": "Gruppierte Produkte", "upsells": "Zusatzverkäufe|Upsells",
        "cross sells": "Cross-Sells (Querverkäufe)|Cross-Sells|Querverkäufe",
        "external url": "Externe URL", "button text": "Button-Text", "position": "Position",
        "brands": "Marken|Marke", "attribute # name": "Attribut 1 Name|Name des Attributs 1",
        "attribute # value s": "Attribut 1 Wert(e)|Wert(e) des Attributs 1",
        "attribute # visible": "Attribut 1 Sichtbar", "attribute # global": "Attribut 1 Global",
        "attribute # default": "Attribut 1 Standard",
    },
    "French": {
        "type": "Type", "sku": "UGS", "name": "Nom", "published": "Publié",
        "gtin upc ean or isbn": "GTIN, UPC, EAN ou ISBN",
        "is featured": "Mis en avant ?|Est mis en avant ?",
        "visibility in catalog": "Visibilité dans le catalogue",
        "short description": "Description courte", "description": "Description",
        "date sale price starts": "Date de début de promo|Date de début de la promo|"
            "Date de début du tarif promo|Date de début de promotion",
        "date sale price ends": "Date de fin de promo|Date de fin de la promo|"
            "Date de fin du tarif promo|Date de fin de promotion",
        "tax status": "État de la TVA|Statut de TVA|État de la taxe",
        "tax class": "Classe de TVA|Classe de taxe|Classe de taxes",
        "in stock": "En stock ?", "stock": "Stock",
        "low stock amount": "Montant de stock faible|Montant stock faible|Seuil de stock bas",
        "backorders allowed": "Autoriser les commandes de produits en rupture ?|Autoriser rupture ?|"
            "Commandes en souffrance autorisées ?|Commandes de réapprovisionnement autorisées ?",
        "sold individually": "Vendre individuellement ?|Vendu individuellement ?",
        "weight": "Poids", "length": "Longueur", "width": "Largeur", "height": "Hauteur",
        "allow customer reviews": "Autoriser les avis clients ?|Autoriser les avis des clients ?",
        "purchase note": "Note de commande|Note d’achat",
        "sale price": "Tarif promo|Prix promo|Tarif promotionnel|Prix promotionnel",
        "regular price": "Tarif régulier|Prix régulier|Tarif normal|Prix normal",
        "categories": "Catégories", "tags": "Étiquettes|Mots-clés",
        "shipping class": "Classe d’expédition|Classe de livraison", "images": "Images",
        "download limit": "Limite de téléchargement",
        "download expiry days": "Jours d’expiration du téléchargement",
        "parent": "Parent|Produit parent", "grouped products": "Groupes de produits|Produits groupés",
        "upsells": "Produits suggérés|Montées en gamme", "cross sells": "Ventes croisées",
        "external url": "URL externe", "button text": "Libellé du bouton|Texte du bouton",
        "position": "Position", "brands": "Marques|Marque",
        "attribute # name": "Nom de l’attribut 1|Attribut 1 nom",
        "attribute # value s":
            "Valeur(s) de l’attribut 1|Attribut 1 valeur(s)|Valeur de l’attribut 1",
        "attribute # visible": "Attribut 1 visible|Visibilité de l’attribut 1",
        "attribute # global": "Attribut 1 global", "attribute # default": "Attribut 1 par défaut",
    },
    "Spanish": {
        "type": "Tipo", "sku": "SKU", "name": "Nombre", "published": "Publicado",
        "gtin upc ean or isbn": "GTIN, UPC, EAN o ISBN",
        "is featured": "¿Está destacado?|¿Destacado?|¿Es destacado?",
        "visibility in catalog": "Visibilidad en el catálogo",
        "short description": "Descripción corta", "description": "Descripción",
        "date sale price starts":
            "Día en que empieza el precio rebajado|Fecha en la que empieza el precio rebajado|"
            "Fecha de inicio del precio rebajado",
        "date sale price ends":
            "Día en que termina el precio rebajado|Fecha en la que termina el precio rebajado|"
            "Fecha de fin del precio rebajado",
        "tax status": "Estado del impuesto|Estado de impuesto", "tax class": "Clase de impuesto",
        "in stock": "¿Existencias?|¿En inventario?|¿Hay existencias?|¿En stock?",
        "stock": "Inventario",
        "low stock amount": "Cantidad de bajo inventario|Cantidad de pocas existencias",
        "backorders allowed": "¿Permitir reservas de productos agotados?|¿Reservas permitidas?",
        "sold individually": "¿Vendido individualmente?", "weight": "Peso",
        "length": "Longitud|Largo", "width": "Anchura|Ancho", "height": "Altura|Alto",
        "allow customer reviews": "¿Permitir valoraciones de clientes?",
        "purchase note": "Nota de compra", "sale price": "Precio rebajado|Precio de oferta",
        "regular price": "Precio normal|Precio regular", "categories": "Categorías",
        "tags": "Etiquetas", "shipping class": "Clase de envío", "images": "Imágenes",
        "download limit": "Límite de descargas",
        "download expiry days": "Días de caducidad de la descarga",
        "parent": "Superior|Principal|Padre", "grouped products": "Productos agrupados",
        "upsells": "Ventas dirigidas|Ventas adicionales", "cross sells": "Ventas cruzadas",
        "external url": "URL externa", "button text": "Texto del botón", "position": "Posición",
        "brands": "Marcas|Marca", "attribute # name": "Nombre del atributo 1|Atributo 1 nombre",
        "attribute # value s": "Valor(es) del atributo 1|Atributo 1 valor(es)",
        "attribute # visible": "Atributo visible 1|Atributo 1 visible",
        "attribute # global": "Atributo global 1|Atributo 1 global",
        "attribute # default": "Atributo por defecto 1|Atributo predeterminado 1",
    },
    "Dutch": {
        "type": "Type|Soort", "sku": "SKU|Artikelnummer", "name": "Naam", "published": "Gepubliceerd",
        "gtin upc ean or isbn": "GTIN, UPC, EAN of ISBN",
        "is featured": "Uitgelicht?|Is uitgelicht?|Aanbevolen?",
        "visibility in catalog": "Zichtbaarheid in catalogus|Zichtbaarheid in de catalogus",
        "short description": "Korte beschrijving", "description": "Beschrijving",
        "date sale price starts": "Startdatum actieprijs|Datum start actieprijs|"
            "Datum dat actieprijs begint|Startdatum aanbiedingsprijs|Begindatum actieprijs|"
            "Datum aanbiedingsprijs begint|Datum kortingsprijs begint",
        "date sale price ends": "Einddatum actieprijs|Datum einde actieprijs|"
            "Datum dat actieprijs eindigt|Einddatum aanbiedingsprijs|"
            "Datum aanbiedingsprijs eindigt|Datum kortingsprijs eindigt",
        "tax status": "Btw status|Belastingstatus|BTW-status",
        "tax class": "Belastingklasse|Btw-klasse|Belastingtarief", "in stock": "Op voorraad?",
        "stock": "Voorraad", "low stock amount": "Lage voorraad|Lage voorraad hoeveelheid",
        "backorders allowed": "Nabestellingen toegestaan?|Nabestellingen toestaan?|"
            "Nabestelling toestaan?|Backorders toegestaan?",
        "sold individually": "Wordt individueel verkocht?|Individueel verkocht?|Los verkocht?",
        "weight": "Gewicht", "length": "Lengte", "width": "Breedte", "height": "Hoogte",
        "allow customer reviews": "Klantbeoordelingen toestaan?|Sta klantbeoordelingen toe?",
        "purchase note": "Aankoopnotitie|Aankoop notitie",
        "sale price": "Actieprijs|Aanbiedingsprijs|Kortingsprijs",
        "regular price": "Reguliere prijs|Normale prijs", "categories": "Categorieën",
        "tags": "Tags|Labels", "shipping class": "Verzendklasse", "images": "Afbeeldingen",
        "download limit": "Downloadlimiet|Download limiet",
        "download expiry days": "Dagen vervallen download|Dagen tot download verloopt",
        "parent": "Hoofd|Hoofdproduct|Bovenliggend|Ouder|Bovenliggend product",
        "grouped products": "Gegroepeerde producten", "upsells": "Upsells|Up-sells",
        "cross sells": "Cross-sells", "external url": "Externe URL",
        "button text": "Knoptekst|Knop tekst", "position": "Positie", "brands": "Merken|Merk",
        "attribute # name": "Attribuut 1 naam|Eigenschap 1 naam|Naam van attribuut 1",
        "attribute # value s":
            "Attribuut 1 waarde(n)|Eigenschap 1 waarde(n)|Waarde(n) van attribuut 1|"
            "Attribuut 1 waarde(s)|Eigenschap 1 waarde(s)",
        "attribute # visible": "Attribuut 1 zichtbaar|Eigenschap 1 zichtbaar",
        "attribute # global":
            "Attribuut 1 globaal|Attribuut 1 algemeen|Attribuut 1 wereldwijd|Eigenschap 1 globaal",
        "attribute # default": "Attribuut 1 standaard|Eigenschap 1 standaard",
    },
    "Italian": {
        "type": "Tipo", "sku": "SKU|COD", "name": "Nome", "published": "Pubblicato",
        "gtin upc ean or isbn": "GTIN, UPC, EAN o ISBN",
        "is featured": "In primo piano?|È in primo piano?|In evidenza?|È in evidenza?",
        "visibility in catalog": "Visibilità nel catalogo",
        "short description": "Breve descrizione|Descrizione breve", "description": "Descrizione",
        "date sale price starts": "Data di inizio del prezzo in offerta|Inizio data prezzo in offerta|"
            "Data di inizio prezzo in offerta|Data inizio prezzo in offerta|"
            "Data in cui inizia il prezzo in offerta",
        "date sale price ends": "Data di fine del prezzo in offerta|Fine data prezzo in offerta|"
            "Data di fine prezzo in offerta|Data fine prezzo in offerta|"
            "Data in cui termina il prezzo in offerta",
        "tax status": "Stato delle imposte|Stato imposta",
        "tax class": "Aliquota di imposta|Classe di imposta|Classe d’imposta",
        "in stock": "In stock?|Disponibile?|In magazzino?", "stock": "Magazzino|Stock|Giacenza",
        "low stock amount": "Quantità bassa in magazzino|Ammontare basso di magazzino",
        "backorders allowed": "Ordini arretrati consentiti?|Arretrati consentiti?|Backorder permessi?",
        "sold individually": "Venduto singolarmente?|Venduto individualmente?", "weight": "Peso",
        "length": "Lunghezza", "width": "Larghezza", "height": "Altezza",
        "allow customer reviews": "Abilita le recensioni dei clienti?|Permetti recensioni clienti?",
        "purchase note": "Nota di acquisto|Nota d’acquisto",
        "sale price": "Prezzo in offerta|Prezzo scontato",
        "regular price": "Prezzo di listino|Prezzo regolare|Prezzo normale", "categories": "Categorie",
        "tags": "Tag", "shipping class": "Classe di spedizione", "images": "Immagini|Immagine",
        "download limit": "Limite di download",
        "download expiry days": "Giorni di scadenza del download", "parent": "Genitore|Principale",
        "grouped products": "Prodotti raggruppati", "upsells": "Up-sell|Upsell",
        "cross sells": "Cross-sell", "external url": "URL esterno",
        "button text": "Testo del pulsante", "position": "Posizione", "brands": "Marchi|Marchio",
        "attribute # name": "Nome dell’attributo 1|Attributo 1 nome",
        "attribute # value s": "Valore dell’attributo 1|Valore(i) dell’attributo 1|"
            "Valori dell’attributo 1|Attributo 1 valore(i)",
        "attribute # visible": "Attributo 1 visibile", "attribute # global": "Attributo 1 globale",
        "attribute # default": "Attributo 1 predefinito|Attributo 1 default",
    },
    "Portuguese": {
        "type": "Tipo", "sku": "SKU|REF", "name": "Nome", "published": "Publicado",
        "gtin upc ean or isbn": "GTIN, UPC, EAN ou ISBN",
        "is featured": "Em destaque?|É destaque?|Destaque?",
        "visibility in catalog": "Visibilidade no catálogo",
        "short description": "Descrição curta|Breve descrição", "description": "Descrição",
        "date sale price starts": "Data de preço promocional começa em|"
            "Data de início da promoção|Data de início do preço promocional|Início da promoção",
        "date sale price ends": "Data de preço promocional termina em|"
            "Data de fim da promoção|Data de fim do preço promocional|Fim da promoção",
        "tax status": "Status do imposto|Estado do imposto|Status da taxa",
        "tax class": "Classe de imposto|Classe de taxa", "in stock": "Em estoque?|Em stock?",
        "stock": "Estoque|Stock",
        "low stock amount": "Quantidade baixa de estoque|Quantidade de stock baixo",
        "backorders allowed": "São permitidas encomendas?|Encomendas permitidas?|"
            "Permitir encomendas?|Permite encomendas?",
        "sold individually": "Vendido individualmente?", "weight": "Peso",
        "length": "Comprimento", "width": "Largura", "height": "Altura",
        "allow customer reviews":
            "Permitir avaliações de clientes?|Permitir avaliações dos clientes?",
        "purchase note": "Observação de compra|Nota de compra|Nota de encomenda",
        "sale price": "Preço promocional|Preço de promoção|Preço de saldo",
        "regular price": "Preço|Preço normal|Preço regular", "categories": "Categorias",
        "tags": "Tags|Etiquetas", "shipping class": "Classe de entrega|Classe de envio",
        "images": "Imagens", "download limit": "Limite de downloads",
        "download expiry days": "Dias para expirar o download",
        "parent": "Ascendente|Superior|Principal", "grouped products": "Grupo de produtos",
        "upsells": "Upsells|Aumentar vendas|Mais vendas", "cross sells": "Venda cruzada|Vendas cruzadas",
        "external url": "URL externa|URL externo", "button text": "Texto do botão",
        "position": "Posição", "brands": "Marcas|Marca",
        "attribute # name": "Nome do atributo 1|Atributo 1 nome",
        "attribute # value s": "Valores do atributo 1|Valor(es) do atributo 1|Atributo 1 valor(es)",
        "attribute # visible": "Visibilidade do atributo 1|Atributo 1 visível",
        "attribute # global": "Atributo global 1|Atributo 1 global",
        "attribute # default": "Atributo padrão 1|Atributo 1 padrão",
    },
}  # fmt: skip
"""By language, for each plain English name the names in it, '|' between them."""


class Translated(msgspec.Struct, frozen=True):
    """The plain English names of a header's columns, and the language that they were in, or ''."""

    names: dict[str, str]
    language: str = ""


def _key(name: str) -> str:
    """A name by its letters and digits alone."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NOT_WORD.sub(" ", letters).strip()


_BY_KEY: dict[str, dict[str, str]] = {
    language: {
        _DIGITS.sub("#", _key(name)): english
        for english, names in columns.items()
        for name in names.split("|")
    }
    for language, columns in _NAMES.items()
}
_ENGLISH = frozenset({"id", *(_NAMES["German"])})


def translated(header: Sequence[str]) -> Translated:
    """The columns of WooCommerce in the language that most of the header is in.

    No names where it is English or not WooCommerce's.
    """
    keys = {name: _key(name) for name in header}
    if sum(key in _ENGLISH for key in keys.values()) > len(keys) // 2:
        return Translated({})
    found = {language: _names(keys, known) for language, known in _BY_KEY.items()}
    language = max(found, key=lambda name: len(found[name]))
    if len(found[language]) < _TELLING:
        return Translated({})
    return Translated(found[language], language)


def _names(keys: dict[str, str], known: dict[str, str]) -> dict[str, str]:
    names = {name: _english(key, known) for name, key in keys.items()}
    return {name: english for name, english in names.items() if english}


def _english(key: str, known: dict[str, str]) -> str:
    if match := _META.fullmatch(key):
        return f"meta {match[1]}"
    if match := _UNIT.fullmatch(key):
        english = known.get(match[1], "")
        return f"{english} {match[2]}" if english in {"weight", "length", "width", "height"} else ""
    english = known.get(_DIGITS.sub("#", key), "")
    number = _DIGITS.search(key)
    return english.replace("#", number[0]) if number else english
