"""WooCommerce's tables in other languages, no-break spaces in headers, and tables of other programs."""

import json

import pytest

from crossdock.imports.mapping import load_map
from crossdock.imports.woocommerce_headers import translated
from tests.support.processes import run_command

HEADERS = {
    "German": (
        "ID,Typ,Artikelnummer,Name,Veröffentlicht,Kurzbeschreibung,Beschreibung,"
        '"Datum, an dem Angebotspreis endet",Vorrätig?,Lager,Gewicht (kg),Länge (cm),Angebotspreis,'
        "Regulärer Preis,Kategorien,Schlagwörter,Bilder,Übergeordnetes Produkt,Marken,"
        "Attribut 1 Name,Attribut 1 Wert(e)"
    ),
    "French": (
        "ID,Type,UGS,Nom,Publié,Description courte,Description,Date de fin de promo,En stock\u00a0?,"
        "Stock,Poids (kg),Longueur (cm),Tarif promo,Tarif régulier,Catégories,Étiquettes,Images,Parent,"
        "Marques,Nom de l’attribut 1,Valeur(s) de l’attribut 1\u00a0"
    ),
    "Spanish": (
        "ID,Tipo,SKU,Nombre,Publicado,Descripción corta,Descripción,"
        "Día en que termina el precio rebajado,¿Existencias?,Inventario,Peso (kg),Longitud (cm),"
        "Precio rebajado,Precio normal,Categorías,Etiquetas,Imágenes,Superior,Marcas,"
        "Nombre del atributo 1,Valor(es) del atributo 1"
    ),
    "Dutch": (
        "ID,Type,SKU,Naam,Gepubliceerd,Korte beschrijving,Beschrijving,Einddatum actieprijs,"
        "Op voorraad?,Voorraad,Gewicht (kg),Lengte (cm),Actieprijs,Reguliere prijs,Categorieën,Tags,"
        "Afbeeldingen,Hoofd,Merken,Attribuut 1 naam,Attribuut 1 waarde(n)"
    ),
    "Italian": (
        "ID,Tipo,SKU,Nome,Pubblicato,Breve descrizione,Descrizione,"
        "Data di fine del prezzo in offerta,In stock?,Magazzino,Peso (kg),Lunghezza (cm),"
        "Prezzo in offerta,Prezzo di listino,Categorie,Tag,Immagini,Genitore,Marchi,"
        "Nome dell'attributo 1,Valore dell'attributo 1"
    ),
    "Portuguese": (
        "ID,Tipo,SKU,Nome,Publicado,Descrição curta,Descrição,"
        "Data de preço promocional termina em,Em estoque?,Estoque,Peso (kg),Comprimento (cm),"
        "Preço promocional,Preço,Categorias,Tags,Imagens,Ascendente,Marcas,"
        "Nome do atributo 1,Valores do atributo 1"
    ),
}
ROWS = (
    '\n1,variable,BOWL,Bowl,1,Short,Long,,1,,,,,,"Home > Bowls",red,https://i.example/1.jpg,,Kiln,Size,"S, L"\n'
    '2,variation,B-S,,1,,,2026-03-01,1,5,"0,4","12,5","1.017,50","1.019,90",,,,BOWL,,Size,S\n'
    "3,variation,B-L,,1,,,,1,6,0.25,9.5,,9.50,,,,id:1,,Size,L\n"
)


@pytest.mark.parametrize("language", HEADERS)
async def test_a_table_in_another_language_is_read(import_, rows, language):
    summary = await import_(HEADERS[language] + ROWS, "woocommerce-csv")
    assert (summary.error, summary.refusals, summary.columns_unread) == ("", [], [])
    assert await rows(
        "select sku, retail_minor, sale_minor, weight_g, length_mm, options, sale_ends_at is not null"
        " from variants where shop_id = %s order by position"
    ) == [
        ("B-S", 101990, 101750, 400, 125, {"Size": "S"}, True),
        ("B-L", 950, None, 250, 95, {"Size": "L"}, False),
    ]
    assert await rows(
        "select name, description, brand, tags, attributes, jsonb_array_length(images) from products"
        " where shop_id = %s"
    ) == [("Bowl", "Long", "Kiln", ["red"], {"Short description": "Short"}, 1)]


def test_an_english_header_is_not_translated():
    assert (
        translated(
            ["ID", "Type", "SKU", "Name", "Published", "Stock", "Parent", "Images", "Tags"]
        ).names
        == {}
    )


async def test_a_no_break_space_in_a_column_is_a_space_in_maps_and_headers(
    import_, tmp_path, monkeypatch
):
    monkeypatch.setattr("tests.imports.conftest.MAPS", tmp_path)
    text = "Code\u00a0article,Nom,Prix\u202fHT ?\nA,Bol,5\n"
    (tmp_path / "m.toml").write_text(
        '[fields]\n"SKU" = "Code article"\n"Name" = {from = "Nom"}\n"Regular price" = "Prix HT\u00a0?"\n'
    )
    assert (await import_(text, "woocommerce-csv", map_name="m.toml")).variants_added == 1
    (tmp_path / "n.toml").write_text('[fields]\n"SKU" = "Codes"\n"Name" = "Nom"\n')
    error = (await import_(text, "woocommerce-csv", map_name="n.toml")).error
    assert "it has Code article, Nom, Prix HT ?" in error
    assert load_map(tmp_path / "m.toml").fields["SKU"] == "Code article"


OTHERS = [
    (
        "id,Title,Content,Excerpt,Post Type,Permalink,Image URL,Price,Product Type\n",
        "WP All Import",
    ),
    ("sku,attribute_set_code,product_websites,name,product_online,price,url_key\n", "Magento"),
    ("Item Type,Product Name,Product Code/SKU,Price,Track Inventory,Brand\n", "BigCommerce"),
]


@pytest.mark.parametrize(("header", "program"), OTHERS)
@pytest.mark.parametrize("format_name", ["google-merchant", "shopify-csv", "woocommerce-csv"])
async def test_a_table_of_another_program_is_none_of_ours(import_, header, program, format_name):
    summary = await import_(header + "1,x,x,x,x,x,x,x,x\n", format_name)
    assert summary.records == 0
    assert f"a table of {program}" in summary.error
    assert "use --format" not in summary.error


async def test_the_wrong_format_is_told_with_the_language(database_url, tmp_path, shop):
    path = tmp_path / "produkte.csv"
    path.write_text(HEADERS["German"] + ROWS)
    command = ("import", str(path), "--format", "shopify-csv", "--shop", shop.slug, "--json")
    told = run_command(*command, settings={"database_url": database_url, "data_dir": tmp_path})
    assert told.returncode == 2
    error = json.loads(told.stdout)["error"]
    assert (
        "It looks like woocommerce-csv (WooCommerce in German): use --format woocommerce-csv"
        in error
    )
