"""Words of Spanish for every concept of the mini world, with what its grammar needs to inflect them."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs, read_table

NOUNS: dict[str, tuple[str, ...]] = read_table(
    """
    person      persona      f personas
    teacher     maestro      m maestros
    doctor      médico       m médicos
    farmer      granjero     m granjeros
    student     estudiante   m estudiantes
    soldier     soldado      m soldados
    singer      cantante     m cantantes
    cook        cocinero     m cocineros
    driver      conductor    m conductores
    writer      escritor     m escritores
    nurse       enfermera    f enfermeras
    king        rey          m reyes
    child       niño         m niños
    woman       mujer        f mujeres
    man         hombre       m hombres
    friend      amigo        m amigos
    judge       juez         m jueces
    animal      animal       m animales
    dog         perro        m perros
    cat         gato         m gatos
    horse       caballo      m caballos
    cow         vaca         f vacas
    bird        pájaro       m pájaros
    fish        pez          m peces
    lion        león         m leones
    mouse       ratón        m ratones
    sheep       oveja        f ovejas
    snake       serpiente    f serpientes
    elephant    elefante     m elefantes
    monkey      mono         m monos
    food        comida       f comidas
    bread       pan          m panes
    rice        arroz        m arroces
    meat        carne        f carnes
    soup        sopa         f sopas
    cheese      queso        m quesos
    egg         huevo        m huevos
    cake        pastel       m pasteles
    salad       ensalada     f ensaladas
    fruit       fruta        f frutas
    apple       manzana      f manzanas
    banana      plátano      m plátanos
    orange      naranja      f naranjas
    grape       uva          f uvas
    lemon       limón        m limones
    mango       mango        m mangos
    drink       bebida       f bebidas
    water       agua         f aguas
    milk        leche        f leches
    tea         té           m tés
    coffee      café         m cafés
    juice       jugo         m jugos
    wine        vino         m vinos
    vehicle     vehículo     m vehículos
    car         coche        m coches
    bus         autobús      m autobuses
    train       tren         m trenes
    boat        barco        m barcos
    bicycle     bicicleta    f bicicletas
    plane       avión        m aviones
    tool        herramienta  f herramientas
    hammer      martillo     m martillos
    knife       cuchillo     m cuchillos
    key         llave        f llaves
    rope        cuerda       f cuerdas
    needle      aguja        f agujas
    brush       cepillo      m cepillos
    clothing    ropa         f ropas
    shirt       camisa       f camisas
    hat         sombrero     m sombreros
    shoe        zapato       m zapatos
    coat        abrigo       m abrigos
    dress       vestido      m vestidos
    scarf       bufanda      f bufandas
    furniture   mueble       m muebles
    table       mesa         f mesas
    chair       silla        f sillas
    bed         cama         f camas
    lamp        lámpara      f lámparas
    mirror      espejo       m espejos
    carpet      alfombra     f alfombras
    instrument  instrumento  m instrumentos
    guitar      guitarra     f guitarras
    piano       piano        m pianos
    drum        tambor       m tambores
    violin      violín       m violines
    flute       flauta       f flautas
    text        texto        m textos
    book        libro        m libros
    letter      carta        f cartas
    newspaper   periódico    m periódicos
    poem        poema        m poemas
    map         mapa         m mapas
    story       cuento       m cuentos
    plant       planta       f plantas
    tree        árbol        m árboles
    flower      flor         f flores
    grass       hierba       f hierbas
    rose        rosa         f rosas
    bush        arbusto      m arbustos
    kitchen     cocina       f cocinas
    garden      jardín       m jardines
    school      escuela      f escuelas
    hospital    hospital     m hospitales
    market      mercado      m mercados
    forest      bosque       m bosques
    river       río          m ríos
    mountain    montaña      f montañas
    station     estación     f estaciones
    library     biblioteca   f bibliotecas
    church      iglesia      f iglesias
    field       campo        m campos
    beach       playa        f playas
    theatre     teatro       m teatros
    office      oficina      f oficinas
    farm        granja       f granjas
    restaurant  restaurante  m restaurantes
    street      calle        f calles
    palace      palacio      m palacios
    museum      museo        m museos
    """,
    columns=3,
)
"""Noun -> singular, gender, plural."""

MASCULINE_ARTICLE: frozenset[str] = frozenset(("water",))
"""Feminine nouns in a stressed "a", which take "el" and "un" in the singular."""

KINDS_OF_WOMEN: dict[str, str] = read_pairs(
    """
    teacher maestra  doctor médica  farmer granjera  student estudiante  soldier soldado
    singer cantante  cook cocinera  driver conductora  writer escritora  king reina  child niña
    friend amiga  judge jueza
    """
)
"""What a woman is said to be."""

VERBS: dict[str, tuple[str, ...]] = read_table(
    """
    eat         comer      comió      comieron
    drink_v     beber      bebió      bebieron
    see         ver        vio        vieron
    buy         comprar    compró     compraron
    steal       robar      robó       robaron
    get         obtener    obtuvo     obtuvieron
    sell        vender     vendió     vendieron
    give_away   entregar   entregó    entregaron
    read        leer       leyó       leyeron
    write       escribir   escribió   escribieron
    make        hacer      hizo       hicieron
    paint       pintar     pintó      pintaron
    repair      reparar    reparó     repararon
    change      cambiar    cambió     cambiaron
    drive       conducir   condujo    condujeron
    use         usar       usó        usaron
    wear        llevar     llevó      llevaron
    wash        lavar      lavó       lavaron
    cut         cortar     cortó      cortaron
    carry       cargar     cargó      cargaron
    push        empujar    empujó     empujaron
    pull        arrastrar  arrastró   arrastraron
    move_o      mover      movió      movieron
    find        encontrar  encontró   encontraron
    lose        perder     perdió     perdieron
    love        amar       ama        aman
    like        apreciar   aprecia    aprecian
    hate        odiar      odia       odian
    play        tocar      tocó       tocaron
    hear        oír        oyó        oyeron
    hunt        cazar      cazó       cazaron
    follow      seguir     siguió     siguieron
    feed        alimentar  alimentó   alimentaron
    visit       visitar    visitó     visitaron
    help        ayudar     ayudó      ayudaron
    teach       enseñar    enseñó     enseñaron
    heal        curar      curó       curaron
    watch       observar   observó    observaron
    grow        cultivar   cultivó    cultivaron
    break       romper     rompió     rompieron
    open        abrir      abrió      abrieron
    cook_v      cocinar    cocinó     cocinaron
    sleep       dormir     durmió     durmieron
    rest        descansar  descansó   descansaron
    run         correr     corrió     corrieron
    walk        caminar    caminó     caminaron
    swim        nadar      nadó       nadaron
    fly         volar      voló       volaron
    jump        saltar     saltó      saltaron
    dance       bailar     bailó      bailaron
    move_s      moverse    movió      movieron
    laugh       reír       rio        rieron
    cry         llorar     lloró      lloraron
    sing        cantar     cantó      cantaron
    work        trabajar   trabajó    trabajaron
    wait        esperar    esperó     esperaron
    fall        caer       cayó       cayeron
    sit         sentarse   sentó      sentaron
    speak       hablar     habló      hablaron
    fight       luchar     luchó      lucharon
    """,
    columns=3,
)
"""Verb -> infinitive, third person singular and plural (preterite; present for feelings)."""

REFLEXIVE: frozenset[str] = frozenset(("move_s", "sit"))
"""Verbs that are said with "se"."""

PERSONAL_VERBS: frozenset[str] = frozenset(
    ("help", "teach", "heal", "feed", "follow", "love", "hate", "watch", "hear", "visit")
)
"""Verbs that take "a" before animals and companies too."""

ADJECTIVES: dict[str, str] = read_pairs(
    """
    big grande  small pequeño  old viejo  new nuevo  good bueno  bad malo  hot caliente  cold frío
    clean limpio  dirty sucio  strong fuerte  weak débil  happy feliz  sad triste  rich rico
    poor pobre  fast rápido  slow lento  heavy pesado  light ligero  expensive caro  cheap barato
    beautiful hermoso  ugly feo  long largo  short corto  empty vacío  full lleno  wet mojado  dry seco
    brave valiente  timid tímido  red rojo  green verde  blue azul  white blanco  black negro
    yellow amarillo
    """
)
"""Adjective -> masculine singular."""

ESTAR: frozenset[str] = frozenset({"hot", "cold", "clean", "dirty", "happy", "sad", "empty", "full", "wet", "dry"})
"""Adjectives that are said of a passing state, with "estar"."""

COPULAS: dict[str, tuple[str, str]] = {"ser": ("es", "son"), "estar": ("está", "están")}
"""Copula -> third person singular and plural of the present."""

TIMES: dict[str, tuple[str, ...]] = {
    "yesterday": ("ayer",),
    "morning": ("por", "la", "mañana"),
    "evening": ("por", "la", "tarde"),
    "night": ("por", "la", "noche"),
    "monday": ("el", "lunes"),
    "friday": ("el", "viernes"),
    "sunday": ("el", "domingo"),
    "summer": ("en", "verano"),
    "winter": ("en", "invierno"),
}
"""Time -> its words."""

NUMBERS: tuple[str, ...] = ("dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
"""Numerals from 2 to 9."""

CITIES: dict[str, str] = read_pairs(
    """
    London Londres  Berlin Berlín  Moscow Moscú  Istanbul Estambul  Beijing Pekín  Paris París
    Rome Roma  Cairo Cairo  Vienna Viena  Lisbon Lisboa  Athens Atenas  Tokyo Tokio
    """
)
"""City -> its Spanish name, where it differs from the English one."""

CITIES_WITH_ARTICLE: frozenset[str] = frozenset(("Cairo",))
"""Cities whose name begins with "El"."""

FUNCTION: dict[str, str] = read_pairs(
    """
    be ser  not no  and y  who quién  what qué  where dónde  when cuándo  because porque  then entonces
    but pero
    """
)
"""Function words."""
